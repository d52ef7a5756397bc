//! Counts what each thread allocates. A test runs on one thread, so that other tests do not change its counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What a thread has allocated.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allocated {
    /// How often it has allocated.
    pub allocations: u64,
    /// How many bytes it holds.
    pub bytes: i64,
    /// The most bytes that it has held.
    pub most_bytes: i64,
}

thread_local! {
    static ALLOCATED: Cell<Allocated> =
        const { Cell::new(Allocated { allocations: 0, bytes: 0, most_bytes: 0 }) };
}

/// What this thread has allocated since it started, or since [`reset`].
pub fn allocated() -> Allocated {
    ALLOCATED.get()
}

/// Sets the counts of this thread to zero.
pub fn reset() {
    ALLOCATED.set(Allocated::default());
}

/// The system's allocator, with counts.
struct Counting;

fn count(allocations: u64, bytes: i64) {
    let mut allocated = ALLOCATED.get();
    allocated.allocations += allocations;
    allocated.bytes += bytes;
    allocated.most_bytes = allocated.most_bytes.max(allocated.bytes);
    ALLOCATED.set(allocated);
}

fn size_of(layout: Layout) -> i64 {
    i64::try_from(layout.size()).expect("a layout has at most `isize::MAX` bytes")
}

#[allow(unsafe_code)]
// SAFETY: the system's allocator does all of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, size_of(layout));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -size_of(layout));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
