/** What `cdk --app "npx tsx bin/proving-ground.ts"` runs: the stack `CutoverProvingGround`, an environment to try Cutover on. */
import { provingGroundApp } from '../lib/app';
import { runApp } from '../lib/configuration-error';

runApp(provingGroundApp);
