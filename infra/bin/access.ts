/** What `cdk --app "npx tsx bin/access.ts"` runs: the stack `CutoverAccess`, for an account that a central stack enters. */
import { accessApp } from '../lib/app';
import { runApp } from '../lib/configuration-error';

runApp(accessApp);
