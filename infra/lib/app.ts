/** The app: context values in, one stack out, checked by cdk-nag. */
import { App, type AppProps, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { propsFromContext } from './configuration';
import { CutoverStack } from './cutover-stack';

export function cutoverApp(props: AppProps = {}): App {
  const app = new App({ analyticsReporting: false, ...props });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stackProps = propsFromContext(app.node);
  new CutoverStack(app, 'Cutover', { ...stackProps, stackName: `${stackProps.prefix ?? ''}cutover` });
  return app;
}
