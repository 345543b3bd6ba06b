/** The journal: one item per run, one per lock. What it holds is needed to undo, so it is kept when the stack goes. */
import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

/** The index of runs that are owed an ending; the sweep reads it. */
export const OPEN_RUNS = 'open-runs';

export interface JournalProps {
  readonly tableName: string;
  /** What encrypts it; `undefined`: AWS's key for DynamoDB. */
  readonly dataKey: IKey | undefined;
  /** Whether the table is protected, and outlives the stack. */
  readonly retain: boolean;
}

export class Journal extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, props: JournalProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      tableName: props.tableName,
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: props.dataKey ? TableEncryption.CUSTOMER_MANAGED : TableEncryption.AWS_MANAGED,
      encryptionKey: props.dataKey,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // Records of what was told.
      timeToLiveAttribute: 'expires',
      deletionProtection: props.retain,
      removalPolicy: props.retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: OPEN_RUNS,
      partitionKey: { name: 'open', type: AttributeType.STRING },
      sortKey: { name: 'pk', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
  }
}
