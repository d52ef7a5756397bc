//! The parameters of a query, and queries without some of them.

use super::parameter::is_parameter;
use super::path::without_query;

/// `target` without the parameters that a server could read as one of `names`. `None` if it has no such parameter.
pub fn without_parameters<'n>(
    target: &[u8],
    names: impl Iterator<Item = &'n str> + Clone,
) -> Option<Vec<u8>> {
    without_parameters_that(target, |parameter| {
        names.clone().any(|name| is_parameter(parameter, name))
    })
}

/// `target` without the parameters that `is_removed` selects. `None` if it has no such parameter.
///
/// The other parameters stay as they were sent.
pub fn without_parameters_that(
    target: &[u8],
    is_removed: impl Fn(&[u8]) -> bool,
) -> Option<Vec<u8>> {
    if !parameters(target).any(&is_removed) {
        return None;
    }
    let path = without_query(target);
    let kept: Vec<&[u8]> = parameters(target)
        .filter(|parameter| !is_removed(parameter))
        .collect();
    let mut without = path.to_vec();
    if !kept.is_empty() {
        without.push(b'?');
        without.extend(kept.join(&b'&'));
    }
    Some(without)
}

/// The parameters of a request target, as sent. Only `&` separates them.
pub fn parameters(target: &[u8]) -> impl Iterator<Item = &[u8]> {
    let query = target
        .get(without_query(target).len()..)
        .and_then(|rest| rest.strip_prefix(b"?"));
    query
        .into_iter()
        .flat_map(|query| query.split(|byte| *byte == b'&'))
}
