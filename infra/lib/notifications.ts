/** Where people are told: the alarms' topic, which plans may name too, and queues for what could not be delivered. */
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription, LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Names } from './names';

export interface NotificationsProps {
  readonly names: Names;
  /** Who is told by mail; each address has to confirm. */
  readonly emails: string[];
}

export class Notifications extends Construct {
  readonly topic: Topic;
  /** What happens in runs, for the function that tells groups of stakeholders. */
  readonly moments: Topic;
  /** A key of our own: CloudWatch may not use AWS's key for SNS, and its alarms would be lost. */
  readonly key: Key;

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      description: 'Cutover: messages in its topic',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.topic = new Topic(this, 'Topic', {
      topicName: props.names.of('pages'),
      displayName: 'Cutover',
      masterKey: this.key,
      enforceSSL: true,
    });
    this.moments = new Topic(this, 'Moments', {
      topicName: props.names.of('moments'),
      masterKey: this.key,
      enforceSSL: true,
    });
    for (const email of props.emails) this.topic.addSubscription(new EmailSubscription(email));
    const alarms = {
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
    };
    const { topicArn } = this.topic;
    this.topic.addToResourcePolicy(new PolicyStatement({ ...alarms, actions: ['sns:Publish'], resources: [topicArn] }));
    this.key.addToResourcePolicy(
      new PolicyStatement({ ...alarms, actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: ['*'] }),
    );
  }
}

/** Everything that happens is told by `tell`, some seconds later, and changes the page of its run. */
export function tellMoments({ moments }: Notifications, ...hearers: IFunction[]) {
  for (const hearer of hearers) moments.addSubscription(new LambdaSubscription(hearer));
}

/** What could not be delivered, for two weeks. */
export class DeadLetters extends Queue {
  constructor(scope: Construct, id: string, queueName: string) {
    super(scope, id, {
      queueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is a dead-letter queue itself, of rules and schedules, which the check does not look at.',
    });
  }
}
