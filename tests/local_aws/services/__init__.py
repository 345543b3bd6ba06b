"""Services as strict as AWS: what they refuse, and what they answer.

Why: moto stores nearly anything it is given. A cutover that AWS would refuse, or that would wait for what never comes, must
fail here too. Each module opens with what it enforces; its function `install` puts the corrections into moto.

    route53         atomic change batches (route53_records and route53_values: the rules, pure), changes that take a while, health
                    checks made once; route53_health: what checkers see; route53_zones: private ones, several of one name
    elbv2           actions as strict as AWS (elbv2_actions), targets that are `unused`, health that can be told (elbv2_groups), or that a
                    function answers (functions_health)
    cloudwatch      metrics on a stretched clock, every statistic, alarms that keep their state (statistics and dashboards: the
                    rules, pure)
    dms             replication tasks whose state can be told, times as the Rust SDK reads them
    dms_serverless  serverless replications, which moto does not know
    dynamodb        an item has 400 KB at the most
    sns             Publish as strict as AWS, and what was published
    s3              both ways to name a bucket, addresses signed beforehand
    ses             both versions; ses_sending: who may send what to whom, and what was sent; mail: reading a raw mail
    functions       Lambda without containers; runtime_api: the processes behind it; function_urls:
                    functions with addresses of their own; inline_code: a few lines of Python in a template
    events          EventBridge rules that really fire; schedules: Scheduler; deliveries: how both reach a target
"""
