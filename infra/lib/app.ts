/** The apps: context values in, one stack out, checked by cdk-nag. */
import { App, type AppProps, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { accessPropsFromContext, propsFromContext } from './configuration';
import { CutoverAccess } from './cutover-access';
import { CutoverStack } from './cutover-stack';
import { CutoverProvingGround } from './proving-ground';

export function cutoverApp(props: AppProps = {}): App {
  const app = new App({ analyticsReporting: false, ...props });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stackProps = propsFromContext(app.node);
  new CutoverStack(app, 'Cutover', { ...stackProps, stackName: `${stackProps.prefix ?? ''}cutover` });
  return app;
}

/** What lets that stack into another account. */
export function accessApp(props: AppProps = {}): App {
  const app = new App({ analyticsReporting: false, ...props });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const stackProps = accessPropsFromContext(app.node);
  new CutoverAccess(app, 'CutoverAccess', { ...stackProps, stackName: `${stackProps.prefix ?? ''}cutover-access` });
  return app;
}

/** An environment to try that stack on. */
export function provingGroundApp(props: AppProps = {}): App {
  const app = new App({ analyticsReporting: false, ...props });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const prefix: string = app.node.tryGetContext('prefix') ?? '';
  new CutoverProvingGround(app, 'CutoverProvingGround', { prefix, stackName: `${prefix}cutover-proving-ground` });
  return app;
}
