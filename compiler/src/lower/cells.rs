//! What is remembered, each thing once.

use crate::{
    calendar::{Calendar, Unit},
    plan::{
        Cell, CellId, CellKind, CellSource, Class, LAST_ACTIVE_WORD, NodeId, ProfileSlot, RecordLayout,
        WindowSpan,
    },
    typed::{EventId, EventSet, Pattern, Program, SequenceId},
};
use std::collections::HashMap;

/// How many of the newest rows of a window are exact (LANGUAGE, Meaning 8).
pub(super) const EXACT_ROWS: u32 = 256;

/// The width of the stretches into which older rows of a window are summed up: a 256th of it, rounded up.
fn stretch(duration: i64) -> i64 {
    (duration + 255).div_euclid(256).max(1)
}

/// Which rows a cell keeps.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    /// How many.
    pub(super) capacity: u32,
    /// The width of the stretches into which older ones are summed up.
    pub(super) stretch: Option<i64>,
    /// Whether of rows with the same columns only the newest is kept.
    pub(super) distinct: bool,
}

impl Kept {
    /// The newest so many.
    pub(super) fn newest(capacity: u32) -> Self {
        Self { capacity, stretch: None, distinct: false }
    }

    /// Those that are told apart, and what older ones come to in stretches of a window that reaches back so far.
    pub(super) fn summed_up(reach: i64) -> Self {
        Self { stretch: Some(stretch(reach)), ..Self::newest(EXACT_ROWS) }
    }
}

/// Cells under construction.
pub(super) struct Cells {
    pub(super) cells: Vec<Cell>,
    /// The cells of each source; only looked up, never walked.
    by_source: HashMap<CellSource, Vec<CellId>>,
    segment_words: u32,
    held: u32,
    words: u32,
    rings: u32,
    totals: u32,
    days: u32,
    periods: u32,
}

const DAY: i64 = 86_400_000;
const SEGMENTS: u32 = LAST_ACTIVE_WORD + 1;

impl Cells {
    pub(super) fn new(program: &Program) -> Self {
        let levels = program.segments.len() + program.held.len();
        let segment_words = u32::try_from(levels.div_ceil(64)).unwrap_or(u32::MAX);
        let held = u32::try_from(program.held.len()).unwrap_or(u32::MAX);
        Self {
            cells: Vec::new(),
            by_source: HashMap::new(),
            segment_words,
            held,
            words: SEGMENTS + segment_words + held,
            rings: 0,
            totals: 0,
            days: 0,
            periods: 0,
        }
    }

    /// The layout of the fixed part of the state.
    pub(super) fn record(&self, profile: Vec<ProfileSlot>) -> RecordLayout {
        let slots = u32::try_from(profile.len()).unwrap_or(u32::MAX);
        debug_assert_eq!(SEGMENTS + self.segment_words + self.held, self.first_cell_word());
        RecordLayout {
            segments: SEGMENTS,
            held: SEGMENTS + self.segment_words,
            profile_words: self.words,
            profile,
            words: self.words + 2 * slots,
            rings: self.rings,
            totals: self.totals,
            days: self.days,
            periods: self.periods,
        }
    }

    fn first_cell_word(&self) -> u32 {
        let word = |cell: &Cell| match cell.kind {
            CellKind::Counter { word } | CellKind::Moment { word, .. } => Some(word),
            CellKind::Total { .. }
            | CellKind::Rows { .. }
            | CellKind::Days { .. }
            | CellKind::Periods { .. } => None,
        };
        self.cells.iter().filter_map(word).min().unwrap_or(self.words)
    }

    /// How often events matched ever.
    pub(super) fn counter(&mut self, pattern: &Pattern, filter: NodeId) -> CellId {
        let source = source(pattern, filter, Vec::new(), false);
        self.find(&source, |kind| matches!(kind, CellKind::Counter { .. })).unwrap_or_else(|| {
            let word = self.word();
            self.add(CellKind::Counter { word }, source)
        })
    }

    /// When events first or last matched.
    pub(super) fn moment(&mut self, pattern: &Pattern, filter: NodeId, first: bool) -> CellId {
        let source = source(pattern, filter, Vec::new(), false);
        let same = |kind: &CellKind| matches!(kind, CellKind::Moment { first: other, .. } if *other == first);
        self.find(&source, same).unwrap_or_else(|| {
            let word = self.word();
            self.add(CellKind::Moment { word, first }, source)
        })
    }

    /// Sums of a value over all of history.
    pub(super) fn total(
        &mut self,
        pattern: &Pattern,
        filter: NodeId,
        column: NodeId,
        class: Class,
    ) -> CellId {
        let source = source(pattern, filter, vec![column], false);
        self.find(&source, |kind| matches!(kind, CellKind::Total { .. })).unwrap_or_else(|| {
            let place = self.totals;
            self.totals += 1;
            self.add(CellKind::Total { place, class }, source)
        })
    }

    /// The newest rows.
    pub(super) fn rows(
        &mut self,
        pattern: &Pattern,
        filter: NodeId,
        columns: (Vec<NodeId>, Vec<Class>),
        object: bool,
        kept: Kept,
        span: WindowSpan,
    ) -> CellId {
        let (columns, classes) = columns;
        let source = source(pattern, filter, columns, object);
        self.ring(source, classes, kept, span)
    }

    /// The newest completed matches of a sequence.
    pub(super) fn match_rows(&mut self, sequence: SequenceId, capacity: u32, span: WindowSpan) -> CellId {
        let source = CellSource::Sequence { sequence, since: i64::MIN };
        self.ring(source, Vec::new(), Kept::newest(capacity), span)
    }

    /// How many matches of a sequence were completed since an instant.
    pub(super) fn match_counter(&mut self, sequence: SequenceId, since: i64) -> CellId {
        let source = CellSource::Sequence { sequence, since };
        self.find(&source, |kind| matches!(kind, CellKind::Counter { .. })).unwrap_or_else(|| {
            let word = self.word();
            self.add(CellKind::Counter { word }, source)
        })
    }

    /// Totals by calendar day: one cell for every window over the same.
    pub(super) fn days(
        &mut self,
        pattern: &Pattern,
        filter: NodeId,
        columns: Vec<NodeId>,
        class: Option<Class>,
        calendar: Calendar,
    ) -> CellId {
        self.by_day(source(pattern, filter, columns, false), class, calendar)
    }

    /// The completed matches of a sequence by calendar day.
    pub(super) fn match_days(&mut self, sequence: SequenceId, calendar: Calendar) -> CellId {
        self.by_day(CellSource::Sequence { sequence, since: i64::MIN }, None, calendar)
    }

    fn by_day(&mut self, source: CellSource, class: Option<Class>, calendar: Calendar) -> CellId {
        let longest = calendar.longest();
        let known = self.find(&source, |kind| matches!(kind, CellKind::Days { .. }));
        let id = known.unwrap_or_else(|| {
            let place = self.days;
            self.days += 1;
            self.add(CellKind::Days { place, class, reach: 0 }, source)
        });
        if let Some(CellKind::Days { reach, .. }) = self.kind_mut(id) {
            *reach = longest.max(*reach);
        }
        id
    }

    /// On which days or weeks something happened.
    pub(super) fn periods(
        &mut self,
        pattern: &Pattern,
        filter: NodeId,
        day: NodeId,
        unit: Unit,
        longest: i32,
    ) -> CellId {
        let source = source(pattern, filter, vec![day], false);
        let same = |kind: &CellKind| matches!(kind, CellKind::Periods { unit: other, .. } if *other == unit);
        let id = self.find(&source, same).unwrap_or_else(|| {
            let place = self.periods;
            self.periods += 1;
            self.add(CellKind::Periods { place, unit, reach: 0 }, source)
        });
        if let Some(CellKind::Periods { reach, .. }) = self.kind_mut(id) {
            *reach = longest.max(*reach);
        }
        id
    }

    fn kind_mut(&mut self, id: CellId) -> Option<&mut CellKind> {
        self.cells.get_mut(id.0 as usize).map(|cell| &mut cell.kind)
    }

    fn ring(
        &mut self,
        source: CellSource,
        columns: Vec<Class>,
        Kept { capacity, stretch, distinct }: Kept,
        span: WindowSpan,
    ) -> CellId {
        let reach = match span {
            WindowSpan::All | WindowSpan::ThisMatch | WindowSpan::ThisSession => None,
            WindowSpan::Last(duration) => Some(duration),
            WindowSpan::Ago { near: _, far } => Some(far),
            // Local days begin up to 14 hours before those of UTC and end up to 12 hours after them.
            WindowSpan::Calendar(calendar) => Some((i64::from(calendar.longest()) + 3) * DAY),
        };
        let same = |kind: &CellKind| match kind {
            CellKind::Rows { place: _, capacity: c, columns: o, stretch: s, reach: r, distinct: d } => {
                *c == capacity && *o == columns && *s == stretch && *r == reach && *d == distinct
            }
            CellKind::Counter { .. }
            | CellKind::Moment { .. }
            | CellKind::Total { .. }
            | CellKind::Days { .. }
            | CellKind::Periods { .. } => false,
        };
        self.find(&source, same).unwrap_or_else(|| {
            let place = self.rings;
            self.rings += 1;
            self.add(CellKind::Rows { place, capacity, columns, stretch, reach, distinct }, source)
        })
    }

    fn find(&self, source: &CellSource, same: impl Fn(&CellKind) -> bool) -> Option<CellId> {
        let fed = self.by_source.get(source)?;
        fed.iter().copied().find(|id| self.cells.get(id.0 as usize).is_some_and(|cell| same(&cell.kind)))
    }

    fn add(&mut self, kind: CellKind, source: CellSource) -> CellId {
        let id = CellId(u32::try_from(self.cells.len()).unwrap_or(u32::MAX));
        self.by_source.entry(source.clone()).or_default().push(id);
        self.cells.push(Cell { kind, source });
        id
    }

    fn word(&mut self) -> u32 {
        self.words += 1;
        self.words - 1
    }
}

fn source(pattern: &Pattern, filter: NodeId, columns: Vec<NodeId>, object: bool) -> CellSource {
    let events: Option<Vec<EventId>> = match &pattern.events {
        EventSet::Any => None,
        EventSet::Of(events) => Some(events.clone()),
    };
    CellSource::Events { events, filter, columns, object, since: pattern.since }
}
