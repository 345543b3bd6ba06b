/**
 * Where runs leave their reports: objects under `runs/<execution>/`, for as long as they are of use. Portfolios and cutover plans that people put there
 * (`portfolios/`, `plans/`), and programmes, stay until somebody removes them: a programme is planned anew from the one before.
 */
import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/** As long as Step Functions keeps an execution's history, and then as long again for whoever compares. */
const KEPT = Duration.days(180);

export interface ReportsProps {
  readonly bucketName: string;
  /** Whether the bucket outlives the stack. */
  readonly retain: boolean;
}

export class Reports extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, props: ReportsProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName: props.bucketName,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      lifecycleRules: ['runs/', 'status/', 'waves/'].map((prefix) => ({ prefix, expiration: KEPT })),
      removalPolicy: props.retain ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Reports hold no secrets, and only the functions of this stack write them; CloudTrail shows who reads them.',
    });
  }
}
