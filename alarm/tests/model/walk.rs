//! Engine and reference side by side through the same events; the first difference ends the walk.

use crate::reference::{Input, Line, Reference};
use davy_alarm::{
    Action, Actor, Alarm, Condition, Definition, Instant, Reading, Saved, Transition, WallMs,
};

/// What the wall clock shows at the start: far from the monotonic one, so that a mix-up shows.
const WALL: i64 = 1_790_000_000_000;

/// Something that happens; time passes by `Wait` and `Restart` alone.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Input(Input),
    Wait(u64),
    Act(Action, Actor),
    /// The local button, or a screen that has seen the newest occurrence.
    AcknowledgePresent,
    /// Stopped now, back so much later.
    Restart(u64),
}

#[derive(Clone, Debug)]
pub(crate) struct Walk {
    engine: Alarm,
    reference: Reference,
    told: Vec<Line>,
    now: u64,
}

impl Walk {
    /// `step` divides every time that the walk will meet.
    pub(crate) fn new(definition: Definition, step: u64) -> Self {
        Self {
            engine: Alarm::new(definition, Instant(0)),
            reference: Reference::new(definition, step),
            told: Vec::new(),
            now: 0,
        }
    }

    /// Takes both through an event; says where they differ.
    pub(crate) fn take(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Input(input) => {
                self.reference.see(input);
                let heard = self.heard(input);
                let told = see(&mut self.engine, input, self.now);
                self.note(self.now, told);
                if heard.is_some_and(|heard| told.is_some() || heard != self.engine) {
                    return Err(format!("{input:?} is in the calm, and changed it"));
                }
            }
            Event::Wait(ms) => {
                self.now += ms;
                self.reference.pass(self.now);
                self.fire();
            }
            Event::Act(action, actor) => self.act(action, actor)?,
            Event::AcknowledgePresent => {
                let occurrence = Some(self.reference.occurrence());
                self.act(Action::Acknowledge { occurrence }, Actor::default())?;
            }
            Event::Restart(down) => self.restart(down)?,
        }
        self.compare()
    }

    /// The engine after an input that lies in the calm, if it does.
    fn heard(&self, input: Input) -> Option<Alarm> {
        match input {
            Input::Value(value) if self.engine.calm().holds(value) => {
                let mut heard = self.engine.clone();
                heard.heard(Instant(self.now));
                Some(heard)
            }
            _ => None,
        }
    }

    fn fire(&mut self) {
        while let Some((at, told)) = self.engine.fire(Instant(self.now)) {
            self.note(at.0, told);
        }
    }

    fn act(&mut self, action: Action, actor: Actor) -> Result<(), String> {
        let before = self.engine.clone();
        let wanted = self.reference.act(action, actor);
        match (wanted, self.engine.act(action, actor, Instant(self.now))) {
            (Ok(()), Ok(told)) => self.note(self.now, Some(told)),
            (Err(reasons), Err(why)) if reasons.contains(&why) => {
                // What is refused changes nothing (R14).
                if format!("{before:?}") != format!("{:?}", self.engine) {
                    return Err(format!("{action:?}, refused for {why:?}, changed it"));
                }
            }
            (wanted, found) => {
                return Err(format!("{action:?} by {actor:?}: {wanted:?}, {found:?}"));
            }
        }
        Ok(())
    }

    /// Through the bytes that stand on disk.
    fn restart(&mut self, down: u64) -> Result<(), String> {
        let wall = |now: u64| WallMs(WALL + now as i64);
        let saved = self.engine.saved(Instant(self.now), wall(self.now));
        let bytes = saved.to_bytes();
        let saved = Saved::from_bytes(&bytes).ok_or("its own bytes do not read back")?;
        self.now += down;
        let definition = *self.engine.definition();
        self.engine = Alarm::restore(definition, &saved, Instant(self.now), wall(self.now));
        self.reference.restart(down);
        self.fire();
        Ok(())
    }

    fn note(&mut self, at: u64, told: Option<Transition>) {
        let line = |told: Transition| Line {
            at,
            from: told.from,
            to: told.to,
            cause: told.cause,
            occurrence: told.occurrence,
        };
        self.told.extend(told.map(line));
    }

    fn compare(&self) -> Result<(), String> {
        same("lines", self.reference.told(), &self.told)?;
        let (wanted, found) = (&self.reference, &self.engine);
        same("shown", &wanted.shown(), &found.shown())?;
        same("active", &wanted.is_active(), &found.is_active())?;
        same("latched", &wanted.is_latched(), &found.is_latched())?;
        // While something suppresses it, nobody can acknowledge, and nobody is told whether somebody did.
        if !wanted.is_suppressed() {
            let acknowledged = found.is_acknowledged();
            same("acknowledged", &wanted.is_acknowledged(), &acknowledged)?;
        }
        same("occurrence", &wanted.occurrence(), &found.occurrence())?;
        same("shelved", &wanted.is_shelved(), &found.is_shelved())?;
        let by_design = found.is_suppressed_by_design();
        same("by design", &wanted.is_by_design(), &by_design)?;
        let out_of_service = found.is_out_of_service();
        same(
            "out of service",
            &wanted.is_out_of_service(),
            &out_of_service,
        )?;
        let until = found.shelved_until().map(|until| until.0);
        same("shelved until", &wanted.shelved_until(), &until)?;
        same("demands", &wanted.demands(), &found.demands())?;
        let annunciated = found.shown().is_annunciated();
        same("annunciated", &wanted.is_annunciated(), &annunciated)
    }
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(
    what: &str,
    wanted: &T,
    found: &T,
) -> Result<(), String> {
    if wanted == found {
        return Ok(());
    }
    Err(format!(
        "{what}: by the rules {wanted:?}, by the engine {found:?}"
    ))
}

/// Gives the engine an input as the gateway does.
pub(crate) fn see(alarm: &mut Alarm, input: Input, now: u64) -> Option<Transition> {
    let now = Instant(now);
    match input {
        Input::Value(value) => alarm.observe(&Reading::measured(value, WallMs(0)), now),
        Input::Missing(cause) => alarm.observe(&Reading::absent(cause, WallMs(0)), now),
        Input::Answered(answered) => alarm.observe_contact(answered, now),
        Input::Says(signal) => alarm.observe_signal(signal, now),
        Input::Silent => {
            let stale = matches!(alarm.definition().condition, Condition::Stale { .. });
            assert!(!stale, "it finds out by itself");
            alarm.hold();
            None
        }
        Input::Started => unreachable!("that is a restart"),
    }
}
