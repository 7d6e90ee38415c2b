//! What a customer consented to, and which channels are suppressed.

use crate::{
    execution::Counts,
    json::JsonText,
    limits::{MAX_CHANNEL_BYTES, MAX_CHANNELS},
    pack::{Broken, Packed, Packer, Unpacker},
    settings::ConsentPolicy,
    succession::Matched,
    typed::{Program, TopicId},
    value::{Millis, Text},
};
use smallvec::SmallVec;

/// A place in a customer's order of events: time, then order of application.
pub type Stamp = (Millis, u64);

/// Where the word of somebody who unsubscribes without saying from which channel is recorded: it is about all of them.
pub const EVERY_CHANNEL: &str = "";

/// What is recorded for one channel: topic (`None`: the whole channel), whether granted, and when.
type OfChannel = SmallVec<[(Option<TopicId>, bool, Stamp); 1]>;

/// One customer's recorded consent: the latest (time, order) wins, and where times tie, no wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// By channel; plain lists, because customers are many and channels few.
    recorded: Vec<(Text, OfChannel)>,
    suppressed: Vec<Text>,
}

impl Consent {
    /// Records consent for a channel, or for one topic on it. A record for the whole channel replaces older ones for
    /// its topics. Channels beyond [`MAX_CHANNELS`], and those whose
    /// names are longer than [`MAX_CHANNEL_BYTES`], are not recorded, so that they have none.
    pub fn record(&mut self, channel: &str, topic: Option<TopicId>, granted: bool, stamp: Stamp) {
        let place = match self.recorded.iter().position(|(other, _)| **other == *channel) {
            Some(place) => place,
            None if self.recorded.len() >= MAX_CHANNELS && channel != EVERY_CHANNEL
                || channel.len() > MAX_CHANNEL_BYTES =>
            {
                return;
            }
            None => {
                self.recorded.push((Text::from(channel), OfChannel::new()));
                self.recorded.len() - 1
            }
        };
        let entries = &mut self.recorded[place].1;
        let wins = |was: bool, old: Stamp| {
            if old.0 == stamp.0 { was && !granted || was == granted } else { old < stamp }
        };
        // A newer word on the whole channel stands above an older one on a topic.
        let whole = entries.iter().find(|(topic, ..)| topic.is_none());
        if topic.is_some() && whole.is_some_and(|(_, was, old)| !wins(*was, *old)) {
            return;
        }
        match entries.iter_mut().find(|(other, ..)| *other == topic) {
            Some((_, was, old)) if wins(*was, *old) => (*was, *old) = (granted, stamp),
            Some(_) => return,
            None => {
                entries.push((topic, granted, stamp));
            }
        }
        if topic.is_none() {
            entries.retain(|(topic, was, old)| topic.is_none() || !wins(*was, *old));
        }
    }

    /// What had been recorded before an instant, as far as nothing newer took its place.
    #[must_use]
    pub fn before(&self, at: Millis) -> Self {
        let recorded = self.recorded.iter().map(|(channel, entries)| {
            let older = entries.iter().filter(|(.., stamp)| stamp.0 < at).copied();
            (channel.clone(), older.collect::<OfChannel>())
        });
        let recorded = recorded.filter(|(_, entries)| !entries.is_empty()).collect();
        Self { recorded, suppressed: Vec::new() }
    }

    /// Records consent as traits say it: by channel a boolean, or booleans by topic. What is neither is counted and
    /// changes nothing; topics that are not declared mean nothing here.
    pub fn read(&mut self, program: &Program, said: JsonText<'_>, stamp: Stamp, counts: &mut Counts) {
        let Some(channels) = said.members() else {
            counts.invalid_fields += u64::from(!said.is_null());
            return;
        };
        for (channel, said) in channels {
            let Some(channel) = channel.text().filter(|channel| channel != EVERY_CHANNEL) else { continue };
            if let Some(granted) = said.boolean() {
                self.record(&channel, None, granted, stamp);
                continue;
            }
            let Some(topics) = said.members() else {
                counts.invalid_fields += 1;
                continue;
            };
            for (topic, said) in topics {
                let topic = topic.text().and_then(|name| program.topic(&name));
                match (topic, said.boolean()) {
                    (Some(topic), Some(granted)) => self.record(&channel, Some(topic), granted, stamp),
                    (None, Some(_)) => {}
                    (_, None) => counts.invalid_fields += 1,
                }
            }
        }
    }

    /// What is recorded for a topic on a channel: its own word, else that of the topic it lies within, else the
    /// channel's; unless it was withdrawn on every channel since, or at the same moment.
    #[must_use]
    pub fn recorded(&self, program: &Program, channel: &str, topic: Option<TopicId>) -> Option<bool> {
        let said = self.word(program, channel, topic);
        let withdrawn = self.word(program, EVERY_CHANNEL, topic);
        match (said, withdrawn) {
            (Some((granted, said)), Some((_, withdrawn))) => Some(granted && said.0 > withdrawn.0),
            (said, None) => said.map(|(granted, _)| granted),
            (None, Some(_)) => Some(false),
        }
    }

    /// The word that counts for a topic on one channel, and when it was said.
    fn word(&self, program: &Program, channel: &str, topic: Option<TopicId>) -> Option<(bool, Stamp)> {
        let (_, entries) = self.recorded.iter().find(|(other, _)| **other == *channel)?;
        let of = |topic: Option<TopicId>| {
            entries.iter().find(|(other, ..)| *other == topic).map(|(_, granted, stamp)| (*granted, *stamp))
        };
        let mut place = topic;
        while let Some(id) = place {
            if let Some(word) = of(Some(id)) {
                return Some(word);
            }
            place = program.topics.get(id.0 as usize).and_then(|topic| topic.within);
        }
        of(None)
    }

    /// Whether a message may be sent.
    #[must_use]
    pub fn allows(
        &self,
        program: &Program,
        channel: &str,
        topic: Option<TopicId>,
        policy: ConsentPolicy,
    ) -> bool {
        self.recorded(program, channel, topic).unwrap_or(policy == ConsentPolicy::Assumed)
    }

    /// Suppresses a channel for good (a STOP reply, a hard bounce, a complaint).
    pub fn suppress(&mut self, channel: &str) {
        let fits = self.suppressed.len() < MAX_CHANNELS && channel.len() <= MAX_CHANNEL_BYTES;
        if !self.is_suppressed(channel) && fits {
            self.suppressed.push(Text::from(channel));
        }
    }

    /// Takes up what is recorded for another customer, who turned out to be the same; `place` is where the other's order of
    /// application lies in this one's.
    pub fn merge(&mut self, other: &Self, place: impl Fn(Stamp) -> Stamp) {
        let Self { recorded, suppressed } = other;
        for (channel, entries) in recorded {
            // The word on the whole channel first, so that it does not replace what is newer.
            let whole = entries.iter().filter(|(topic, ..)| topic.is_none());
            for (topic, granted, stamp) in whole.chain(entries.iter().filter(|(topic, ..)| topic.is_some())) {
                self.record(channel, *topic, *granted, place(*stamp));
            }
        }
        suppressed.iter().for_each(|channel| self.suppress(channel));
    }

    /// The same under rules with other topics, some of which are new: what the log tells of those is taken over.
    #[must_use]
    pub fn carried(&self, told: &Self, matched: &Matched) -> Self {
        let mut carried = Self { recorded: Vec::new(), suppressed: self.suppressed.clone() };
        for (channel, entries) in &self.recorded {
            let same = |topic: &Option<TopicId>| match topic {
                None => Some(None),
                Some(id) => matched.topics.get(id.0 as usize).copied().flatten().map(Some),
            };
            let entries =
                entries.iter().filter_map(|(topic, granted, at)| Some((same(topic)?, *granted, *at)));
            carried.recorded.push((channel.clone(), entries.collect()));
        }
        for (channel, entries) in &told.recorded {
            for (topic, granted, (at, _)) in entries {
                if topic.is_some_and(|topic| matched.new_topics.contains(&topic)) {
                    carried.record(channel, *topic, *granted, (*at, 0));
                }
            }
        }
        carried
    }

    /// Whether the channel is suppressed.
    #[must_use]
    pub fn is_suppressed(&self, channel: &str) -> bool {
        self.suppressed.iter().any(|other| &**other == channel)
    }
}

/// The channels whose names are not written where consent is kept, by their place here.
const USUAL_CHANNELS: [&str; 4] = ["sms", "email", "push", EVERY_CHANNEL];

impl Packed for Consent {
    fn pack(&self, to: &mut Packer) {
        let Self { recorded, suppressed } = self;
        recorded.len().pack(to);
        for (channel, entries) in recorded {
            let place = USUAL_CHANNELS.iter().position(|usual| **usual == **channel);
            // Mostly there is one word, on the whole channel.
            let only = match entries.as_slice() {
                [(None, granted, stamp)] => Some((granted, stamp)),
                _ => None,
            };
            let granted = only.is_some_and(|(granted, _)| *granted);
            to.number(
                (place.map_or(0, |place| place as u64 + 1)) << 2
                    | u64::from(granted) << 1
                    | u64::from(only.is_some()),
            );
            if place.is_none() {
                channel.pack(to);
            }
            match only {
                Some((_, stamp)) => stamp.pack(to),
                None => entries.pack(to),
            }
        }
        suppressed.pack(to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Self, Broken> {
        if from.is_former() {
            return Ok(Self { recorded: Packed::unpack(from)?, suppressed: Packed::unpack(from)? });
        }
        let count = from.length()?;
        let mut recorded = Vec::with_capacity(count);
        for _ in 0..count {
            let head = from.number()?;
            let channel = match (head >> 2).checked_sub(1) {
                None => Packed::unpack(from)?,
                Some(place) => {
                    let usual = usize::try_from(place).ok().and_then(|place| USUAL_CHANNELS.get(place));
                    Text::from(*usual.ok_or(Broken)?)
                }
            };
            let entries = if head & 1 == 1 {
                OfChannel::from([(None, head & 2 != 0, Packed::unpack(from)?)])
            } else {
                Packed::unpack(from)?
            };
            recorded.push((channel, entries));
        }
        Ok(Self { recorded, suppressed: Packed::unpack(from)? })
    }
}

/// Replies that mean "stop", in small letters: the words that carriers treat so, and one with the two letters that it has in
/// Germany and in the north of Europe.
pub const STOP_WORDS: [&str; 9] =
    ["stop", "stopall", "stopp", "unsubscribe", "optout", "cancel", "end", "quit", "revoke"];

/// Whether a reply's text means "stop". Only letters and digits count: `STOP!` and `opt out` do.
#[must_use]
pub fn is_stop(text: &str) -> bool {
    let said = || text.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase);
    STOP_WORDS.iter().any(|word| said().eq(word.chars()))
}
