//! Which of the messages that were sent still count for rates.

use crate::{
    typed::{Program, TopicId},
    value::Millis,
};

/// The positions of the messages (time, topic and channel, oldest first) that count for some rate at an instant. Of each
/// topic and channel the newest are enough, as many as any rate counts.
#[must_use]
pub fn counting_messages(program: &Program, all: &[(Millis, TopicId, &str)], now: Millis) -> Vec<usize> {
    let most = program.topics.iter().flat_map(|topic| &topic.rates).map(|rate| rate.count as usize).max();
    let counts = |(at, topic, channel): &(Millis, TopicId, &str)| {
        let within = |topic: &TopicId| program.topics.get(topic.0 as usize).and_then(|topic| topic.within);
        let topics = std::iter::successors(Some(*topic), within);
        let rates = topics.filter_map(|id| program.topics.get(id.0 as usize)).flat_map(|topic| &topic.rates);
        rates.into_iter().any(|rate| {
            rate.channel.as_deref().is_none_or(|only| only == *channel) && *at > now.saturating_sub(rate.per)
        })
    };
    let mut kept = Vec::new();
    for (place, message) in all.iter().enumerate().filter(|(_, message)| counts(message)) {
        let alike = |other: &&(Millis, TopicId, &str)| other.1 == message.1 && other.2 == message.2;
        let newer = all.get(place + 1..).unwrap_or_default().iter().filter(alike).count();
        if newer < most.unwrap_or_default() {
            kept.push(place);
        }
    }
    kept
}
