/** What `cdk` runs. */
import { cutoverApp } from '../lib/app';
import { runApp } from '../lib/configuration-error';

runApp(cutoverApp);
