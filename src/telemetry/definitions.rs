//! The metrics that are defined at the host.

/// Defines a metric at the host, or finds the one with that name. Returns its identifier, or none if the host has no metrics.
type Define = fn(&str) -> Option<u32>;

/// The metrics that one instance of the module has defined at its host, sorted by name.
///
/// A host remembers each definition until it ends the instance, also after a new configuration. So each name is defined
/// once for all configurations of the instance.
#[derive(Debug)]
pub struct Definitions {
    counter: Define,
    gauge: Define,
    known: Vec<(String, Option<u32>)>,
    /// How many are limited in number.
    limited: usize,
}

impl Definitions {
    /// No metrics yet. The functions define a counter and a gauge.
    pub const fn new(counter: Define, gauge: Define) -> Self {
        Self {
            counter,
            gauge,
            known: Vec::new(),
            limited: 0,
        }
    }

    /// The counter with a name.
    pub fn counter(&mut self, name: &str) -> Option<u32> {
        self.find(name, self.counter)
    }

    /// The gauge with a name.
    pub fn gauge(&mut self, name: &str) -> Option<u32> {
        self.find(name, self.gauge)
    }

    /// The counter with the name `name(false)`, if this function has defined fewer than `most` of these, or this one before.
    /// Otherwise, or if `is_other`, the counter with the name `name(true)`.
    #[cold]
    pub fn counter_among(
        &mut self,
        most: usize,
        is_other: bool,
        name: &dyn Fn(bool) -> String,
    ) -> Option<u32> {
        let own = name(is_other);
        let is_limited = !is_other && self.position(&own).is_err();
        if is_limited && self.limited >= most {
            return self.counter(&name(true));
        }
        self.limited += usize::from(is_limited);
        self.counter(&own)
    }

    fn find(&mut self, name: &str, define: Define) -> Option<u32> {
        match self.position(name) {
            Ok(known) => self.known.get(known)?.1,
            Err(vacant) => {
                let id = define(name);
                self.known.insert(vacant, (name.to_owned(), id));
                id
            }
        }
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.known
            .binary_search_by(|(known, _)| known.as_str().cmp(name))
    }
}
