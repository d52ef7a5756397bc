//! Carrying out a decision: what it leaves behind, what is recorded, and what the host does with the request.

use super::ffi;
use super::filter::{Filter, Next};
use super::log::{self, Level};
use super::properties;
use crate::evaluate::{Decision, Effects, Forward, Passage};
use crate::plan::Plan;
use crate::request::RequestView;
use crate::response::{Reply, write_reply};
use crate::telemetry;
use crate::time::{Now, Timestamp};

impl Filter {
    /// Carries out a decision for the request on which the host's calls act. `plan` is what the decision rests on.
    ///
    /// The effects are committed first. This may turn the decision into a denial, so that the request is forwarded or
    /// answered last.
    pub(super) fn carry_out<'p>(
        &self,
        plan: &'p Plan,
        (decision, effects): (&mut Decision<'p>, &mut Effects),
        request: &RequestView<'_>,
        now: Now<'_>,
    ) -> Next {
        if !effects.are_none() {
            self.commit((decision, std::mem::take(effects)), (plan, request), now);
        }
        if let Some(passage @ Passage::Permitted(_)) = decision.passage() {
            self.record(decision, None, request, now);
            return self.forward(passage, &decision.forward);
        }
        let mut reply = self.reply.take();
        let looks = (&self.plan.presentation, &self.prepared);
        let is_written = write_reply(decision, looks, request, now, &mut reply);
        self.record(decision, is_written.then_some(&reply), request, now);
        let next = match decision.passage() {
            Some(passage) => self.forward(passage, &decision.forward),
            None => self.answer(is_written.then_some(&reply)),
        };
        self.reply.set(reply);
        next
    }

    /// Counts and commits what a decision leaves behind, and makes the fetches that no request waits for.
    #[inline(never)]
    fn commit<'p>(
        &self,
        (decision, effects): (&mut Decision<'p>, Effects),
        (plan, request): (&'p Plan, &RequestView<'_>),
        now: Now<'_>,
    ) {
        self.metrics.count_effects(&effects);
        if let Some(fetch) = &effects.wanted {
            self.want(fetch);
        }
        for source in &effects.doubted {
            self.doubt(*source);
        }
        if let Some(provider) = effects.untried {
            self.tell_of_untried(provider, now.get());
        }
        let mut store = self.store.borrow_mut();
        decision.commit(effects, &mut store, (plan, request), now);
    }

    /// Sends the response to the client.
    fn answer(&self, reply: Option<&Reply>) -> Next {
        let mut map = self.map.take();
        if !reply.is_some_and(|reply| ffi::send(reply, &mut map)) {
            self.lines.error(
                "countersign: the host does not send the response: the request stays paused",
            );
        }
        self.map.set(map);
        Next::Answered
    }

    /// Changes a request as the decision says, and lets it continue to the upstream. The passage proves that it may.
    ///
    /// If the host does not make one of the changes, the request stays paused: the upstream could receive what it must not.
    fn forward(&self, _: Passage<'_>, forward: &Forward<'_>) -> Next {
        let Forward {
            target,
            remove,
            set,
        } = forward;
        if forward.removes_anything() {
            ffi::set_filter_state(telemetry::CHANGED, "1");
        }
        let is_changed = target
            .as_deref()
            .is_none_or(|target| ffi::set_header(":path", target))
            && remove.iter().all(|name| ffi::remove_header(name))
            && set
                .iter()
                .all(|(name, value)| ffi::set_header(name, value.as_bytes()));
        if is_changed {
            return Next::Continues;
        }
        self.lines
            .error("countersign: the host does not change the request: the request stays paused");
        Next::Answered
    }

    /// Counts a decision, shows it to access logs, and writes its audit line.
    fn record(
        &self,
        decision: &Decision<'_>,
        reply: Option<&Reply>,
        request: &RequestView<'_>,
        now: Now<'_>,
    ) {
        self.metrics.count(decision, reply);
        for (name, value) in telemetry::filter_state(decision, &self.plan.filter_state) {
            ffi::set_filter_state(name, &value);
        }
        if telemetry::is_audited(decision, self.plan.audit) {
            self.audit(decision, reply, request, now.get());
        }
    }

    /// Writes the audit line of a decision, unless the host would drop it.
    #[inline(never)]
    fn audit(
        &self,
        decision: &Decision<'_>,
        reply: Option<&Reply>,
        request: &RequestView<'_>,
        now: Timestamp,
    ) {
        let level = match decision.refusal() {
            Some(_) => Level::Warn,
            None => Level::Info,
        };
        if log::is_written(level) {
            let client = request.client().or_else(properties::source_address);
            let mut lines = self.audit_lines.borrow_mut();
            log::write(level, lines.write(decision, reply, request, client, now));
        }
    }
}
