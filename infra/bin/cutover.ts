/** The app: context values in, one stack out, checked by cdk-nag. */
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { propsFromContext } from '../lib/configuration';
import { ConfigurationError } from '../lib/configuration-error';
import { CutoverStack } from '../lib/cutover-stack';

const app = new App({ analyticsReporting: false });
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
try {
  const props = propsFromContext(app.node);
  new CutoverStack(app, 'Cutover', { ...props, stackName: `${props.prefix ?? ''}cutover` });
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(`error: ${error.message}`);
  process.exit(1);
}
