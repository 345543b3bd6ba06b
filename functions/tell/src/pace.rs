//! So many messages a second go to one place at the most, whoever sends them: SNS takes ten a second for a subscription by mail, chats take one or a few
//! (SNS quotas; Slack, rate limits). What finds no second of its own in time is sent by a later call.

use std::time::Duration;

use cutover::plan::Channel;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::Clients;

/// Below ten.
const MOST_A_SECOND: u32 = 8;
/// This function's time-out is 30 s, and sending takes its part.
const LONGEST: Duration = Duration::from_secs(8);

/// Waits for a second that has room; false where there was none in time. Where that cannot be counted, nothing is held up.
pub(crate) async fn wait(clients: &Clients, channel: &Channel, now: Timestamp) -> bool {
    let (place, began) = (place(channel), Instant::now());
    while began.elapsed() < LONGEST {
        let at = now + began.elapsed();
        let journal = &clients.journal;
        match journal.count_sent(&place, at.as_second(), MOST_A_SECOND).await {
            Ok(true) => return true,
            Ok(false) => sleep(until_next_second(at)).await,
            Err(error) => {
                tracing::warn!(error = error.name, "messages are not counted: {}", error.message);
                return true;
            }
        }
    }
    false
}

/// Where it goes: what limits are for.
fn place(channel: &Channel) -> String {
    match channel {
        Channel::Sns(to) | Channel::Chat(to) => to.topic_arn.clone(),
        Channel::Mail(to) => to.to.join(","),
        Channel::Webhook(to) => to.secret_arn.clone(),
    }
}

fn until_next_second(at: Timestamp) -> Duration {
    let passed = u64::try_from(at.subsec_millisecond().max(0)).unwrap_or(0);
    Duration::from_millis(1_000 - passed.min(999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_that_is_full_is_waited_out() {
        for (at, milliseconds) in [("02:00:00Z", 1_000), ("02:00:00.25Z", 750), ("02:00:00.9996Z", 1)] {
            let at: Timestamp = format!("2026-11-27T{at}").parse().unwrap();
            assert_eq!(until_next_second(at), Duration::from_millis(milliseconds), "{at}");
        }
    }

    #[test]
    fn a_place_is_where_its_limit_counts() {
        let channel = |json: serde_json::Value| -> Channel { serde_json::from_value(json).unwrap() };
        let topic = serde_json::json!({ "type": "sns", "topic_arn": "arn:t" });
        let chat = serde_json::json!({ "type": "chat", "topic_arn": "arn:t" });
        assert_eq!(place(&channel(topic)), place(&channel(chat)));
        let mail = |to: &str| channel(serde_json::json!({ "type": "mail", "to": [to] }));
        assert_ne!(place(&mail("a@example.com")), place(&mail("b@example.com")));
    }
}
