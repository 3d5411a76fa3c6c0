//! The columns of a change chunk, read value by value: nothing is unrolled, so a run may claim any length.
//!
//! The format is automerge's ("Column specifications" in its storage specification): a column is a 32-bit number
//! (id × 16 + type, bit 3 for deflate) and its bytes. Of the columns automerge knows, operations on scalars of the root
//! map need eight; a column of any other kind means an operation the profile does not have.

use super::cursor::Cursor;
use super::{MAX_OPERATIONS, Refusal};

const OBJECT_ACTOR: u32 = 0x01;
const OBJECT_COUNTER: u32 = 0x02;
const KEY_ACTOR: u32 = 0x11;
const KEY_COUNTER: u32 = 0x13;
const KEY_STRING: u32 = 0x15;
const INSERT: u32 = 0x34;
const ACTION: u32 = 0x42;
const VALUE_META: u32 = 0x56;
const VALUE: u32 = 0x57;
const PRED_COUNT: u32 = 0x70;
const PRED_ACTOR: u32 = 0x71;
const PRED_COUNTER: u32 = 0x73;
const EXPAND: u32 = 0x94;
const MARK_NAME: u32 = 0xA5;

/// The bit of a column's number that says its bytes are deflated.
const DEFLATE: u32 = 0x08;

/// The bytes of each column a change of the profile has; an absent column is empty.
#[derive(Debug, Default)]
pub(super) struct Columns<'a> {
    pub(super) key: Rle<'a, &'a str>,
    pub(super) insert: Cursor<'a>,
    pub(super) action: Rle<'a, u64>,
    pub(super) value_meta: Rle<'a, u64>,
    pub(super) value: Cursor<'a>,
    pub(super) pred_count: Rle<'a, u64>,
    pub(super) pred_actor: Rle<'a, u64>,
    pub(super) pred_counter: Delta<'a>,
}

impl<'a> Columns<'a> {
    /// Reads the list of columns and takes their bytes.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Refusal> {
        let mut list = *cursor;
        let count = list.uleb()?;
        let mut data = list;
        for _ in 0..count {
            data.uleb()?;
            data.uleb()?;
        }
        let mut columns = Self::default();
        let mut previous = None;
        for _ in 0..count {
            let spec = u32::try_from(list.uleb()?).map_err(|_| Refusal::Garbage)?;
            if spec & DEFLATE != 0 {
                return Err(Refusal::Compressed);
            }
            if previous.is_some_and(|previous| previous >= spec) {
                return Err(Refusal::Garbage);
            }
            previous = Some(spec);
            let bytes = Cursor::new(data.take(list.uleb()?)?);
            match spec {
                KEY_STRING => columns.key = Rle::new(bytes),
                INSERT => columns.insert = bytes,
                ACTION => columns.action = Rle::new(bytes),
                VALUE_META => columns.value_meta = Rle::new(bytes),
                VALUE => columns.value = bytes,
                PRED_COUNT => columns.pred_count = Rle::new(bytes),
                PRED_ACTOR => columns.pred_actor = Rle::new(bytes),
                PRED_COUNTER => columns.pred_counter = Delta { differences: Rle::new(bytes), value: 0 },
                OBJECT_ACTOR | OBJECT_COUNTER | KEY_ACTOR | KEY_COUNTER | EXPAND | MARK_NAME => {
                    return Err(Refusal::NotRoot);
                }
                _ => return Err(Refusal::Garbage),
            }
        }
        *cursor = data;
        Ok(columns)
    }

    /// Whether every column has been read to its end.
    pub(super) fn are_finished(&self) -> bool {
        self.key.is_finished()
            && self.insert.is_empty()
            && self.action.is_finished()
            && self.value_meta.is_finished()
            && self.value.is_empty()
            && self.pred_count.is_finished()
            && self.pred_actor.is_finished()
            && self.pred_counter.differences.is_finished()
    }
}

/// What a run-length encoded column holds.
pub(super) trait Item<'a>: Copy {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Refusal>;
}

impl Item<'_> for u64 {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Refusal> {
        cursor.uleb()
    }
}

impl Item<'_> for i64 {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Refusal> {
        cursor.sleb()
    }
}

impl<'a> Item<'a> for &'a str {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Refusal> {
        let len = cursor.uleb()?;
        std::str::from_utf8(cursor.take(len)?).map_err(|_| Refusal::Garbage)
    }
}

/// The run a column is in.
#[derive(Debug, Clone, Copy)]
enum Run<T> {
    /// The same value again.
    Same(T),
    /// A value of its own each time.
    Literal,
    /// No value.
    Null,
}

/// A run-length encoded column: a signed number, then for n > 0 one value that stands n times, for n < 0 the next -n
/// values, for 0 an unsigned number of nulls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rle<'a, T> {
    cursor: Cursor<'a>,
    run: Run<T>,
    left: u64,
}

impl<T> Default for Rle<'_, T> {
    fn default() -> Self {
        Self { cursor: Cursor::default(), run: Run::Null, left: 0 }
    }
}

impl<'a, T: Item<'a>> Rle<'a, T> {
    fn new(cursor: Cursor<'a>) -> Self {
        Self { cursor, ..Self::default() }
    }

    fn is_finished(&self) -> bool {
        self.left == 0 && self.cursor.is_empty()
    }

    fn start_run(&mut self) -> Result<(), Refusal> {
        let head = self.cursor.sleb()?;
        (self.run, self.left) = match head {
            0 => (Run::Null, self.cursor.uleb()?),
            1.. => (Run::Same(T::read(&mut self.cursor)?), head.unsigned_abs()),
            _ => (Run::Literal, head.unsigned_abs()),
        };
        if self.left == 0 { Err(Refusal::Garbage) } else { Ok(()) }
    }

    /// The next value; a null and a column that has ended are garbage, since no column of ours has either before its
    /// last operation.
    pub(super) fn next(&mut self) -> Result<T, Refusal> {
        if self.left == 0 {
            self.start_run()?;
        }
        self.left -= 1;
        match self.run {
            Run::Same(value) => Ok(value),
            Run::Literal => T::read(&mut self.cursor),
            Run::Null => Err(Refusal::Garbage),
        }
    }

    /// How many values the column claims, up to [`MAX_OPERATIONS`].
    pub(super) fn count(mut self) -> Result<usize, Refusal> {
        let mut count = 0_usize;
        while !self.is_finished() {
            self.start_run()?;
            let run = usize::try_from(self.left).unwrap_or(usize::MAX);
            count = count.saturating_add(run);
            if count > MAX_OPERATIONS {
                return Err(Refusal::TooManyOperations);
            }
            if let Run::Literal = self.run {
                for _ in 0..run {
                    T::read(&mut self.cursor)?;
                }
            }
            self.left = 0;
        }
        Ok(count)
    }
}

/// A column of integers, each written as its difference from the one before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Delta<'a> {
    differences: Rle<'a, i64>,
    value: i64,
}

impl Delta<'_> {
    pub(super) fn next(&mut self) -> Result<i64, Refusal> {
        self.value = self.value.checked_add(self.differences.next()?).ok_or(Refusal::Garbage)?;
        Ok(self.value)
    }
}
