//! The life of an object as data: its states, and in one table every transition between them.
//!
//! A noun's `model.rs` holds its table, named `LIFE`, and its commands ask [`Life::step`] where they lead: so a
//! transition that is not in the table cannot happen, and whoever reads the table knows all that can. What is true of a
//! whole life without its types is a [`Chart`], for drawing and for checking.
//!
//! To add a transition: a row in the noun's table, named after the mutation or the task that takes it.

use super::{Error, Result};

/// A state of a life.
pub trait State: Copy + PartialEq + 'static {
    /// All states, in the order in which they are drawn.
    const ALL: &'static [Self];

    /// The stored name.
    fn name(self) -> &'static str;

    /// Reads a stored name.
    fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|state| state.name() == name)
    }
}

/// Who takes a step: how somebody stands to the object, or what happens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// Whoever pays.
    Customer,
    /// Whoever works.
    Contractor,
    /// Whoever made it.
    Maker,
    /// Whoever it was made for.
    Receiver,
    /// Staff.
    Staff,
    /// A task, when the time is over.
    Timer,
    /// Whoever decided for another object of its kind.
    Rival,
    /// The offer, the booking or the dispute that drives it; money is moved there, and it knows where this one goes.
    Deal,
}

impl By {
    /// Everybody.
    pub const ALL: [By; 8] =
        [By::Customer, By::Contractor, By::Maker, By::Receiver, By::Staff, By::Timer, By::Rival, By::Deal];

    /// The name in charts and tables.
    pub const fn name(self) -> &'static str {
        match self {
            By::Customer => "customer",
            By::Contractor => "contractor",
            By::Maker => "maker",
            By::Receiver => "receiver",
            By::Staff => "staff",
            By::Timer => "timer",
            By::Rival => "rival",
            By::Deal => "deal",
        }
    }

    /// Whether it is a person who asks for it by a mutation on this very object.
    pub const fn is_person(self) -> bool {
        matches!(self, By::Customer | By::Contractor | By::Maker | By::Receiver | By::Staff)
    }
}

/// One row of a life.
#[derive(Clone, Copy, Debug)]
pub struct Transition<S: 'static> {
    /// The mutation or the task that takes it.
    pub name: &'static str,
    /// What a button says, in a few words.
    pub label: &'static str,
    /// Where it begins; empty when it makes the object.
    pub from: &'static [S],
    /// Where it leads.
    pub to: S,
    /// Who may take it.
    pub by: &'static [By],
    /// Where its people would expect it and may not take it.
    pub barred: Barred<S>,
}

/// States from which a transition is refused for a reason worth telling.
#[derive(Clone, Copy, Debug)]
pub struct Barred<S: 'static> {
    /// Which states.
    pub from: &'static [S],
    /// Why, and what to do instead.
    pub because: &'static str,
}

impl<S: Copy> Transition<S> {
    /// The same, refused from these states for a reason worth telling.
    pub const fn barred(self, from: &'static [S], because: &'static str) -> Self {
        Transition { barred: Barred { from, because }, ..self }
    }
}

/// A row of a table: its name and label, where it begins and leads, and who may take it.
pub const fn row<S: Copy>(
    name: &'static str,
    label: &'static str,
    from: &'static [S],
    to: S,
    by: &'static [By],
) -> Transition<S> {
    Transition { name, label, from, to, by, barred: Barred { from: &[], because: "" } }
}

/// A life: its states and its table.
#[derive(Clone, Copy, Debug)]
pub struct Life<S: 'static> {
    /// What lives it, as people call it.
    pub noun: &'static str,
    /// All transitions.
    pub rows: &'static [Transition<S>],
    /// The states that nothing leads out of.
    pub ends: &'static [S],
}

impl<S: State> Life<S> {
    /// Where an object stands that `by` makes.
    pub fn born(&self, name: &str, by: By) -> Result<S> {
        let row = self.rows.iter().find(|row| row.name == name && row.from.is_empty() && row.by.contains(&by));
        row.map(|row| row.to).ok_or_else(|| self.forbidden(name, None, by))
    }

    /// Where an object that stands at `from` gets by a transition: `FORBIDDEN` when it is not for `by` at all, `CONFLICT`
    /// when it does not begin there.
    pub fn step(&self, name: &str, from: S, by: By) -> Result<S> {
        let mut rows = self.rows.iter().filter(|row| row.name == name && row.by.contains(&by)).peekable();
        if rows.peek().is_none() {
            return Err(self.forbidden(name, Some(from), by));
        }
        let mut refusal = None;
        for row in rows {
            if row.from.contains(&from) {
                return Ok(row.to);
            }
            let told =
                if row.barred.from.contains(&from) { row.barred.because.to_owned() } else { self.stuck(from, row) };
            refusal = Some(Error::conflict(told));
        }
        Err(refusal.unwrap_or_else(|| self.forbidden(name, Some(from), by)))
    }

    /// Where an object goes that another one drives there: the driver knows where, and the table whether there is such a
    /// way.
    pub fn driven(&self, name: &str, from: S, to: S) -> Result<S> {
        let leads = |row: &&Transition<S>| row.name == name && row.by.contains(&By::Deal) && row.to == to;
        let is_way = self.rows.iter().filter(leads).any(|row| row.from.contains(&from));
        let no_way = || format!("{name} drives no {} from {} to {}", self.noun, from.name(), to.name());
        if is_way { Ok(to) } else { Err(Error::internal(no_way())) }
    }

    /// What people who stand to an object in these ways may do next, or would expect and may not: `step` says where each
    /// leads, as the command will hear it.
    pub fn available(&self, from: S, by: &[By], step: impl Fn(&str, By) -> Result<S>) -> Vec<Available> {
        let rows = by.iter().flat_map(|by| self.around(from, *by).map(move |row| (row, *by)));
        let offer = |(row, by): (&Transition<S>, By)| Available {
            name: row.name,
            label: row.label,
            by,
            refused: step(row.name, by).err(),
        };
        rows.filter(|(_, by)| by.is_person()).map(offer).collect()
    }

    /// The transitions that `by` could take from a state, or would expect there.
    fn around(&self, from: S, by: By) -> impl Iterator<Item = &'static Transition<S>> {
        let rows = self.rows.iter().filter(move |row| row.by.contains(&by));
        rows.filter(move |row| row.from.contains(&from) || row.barred.from.contains(&from))
    }

    fn stuck(&self, from: S, row: &Transition<S>) -> String {
        format!("This {} is {} and cannot become {}.", self.noun, from.name(), row.to.name())
    }

    fn forbidden(&self, name: &str, from: Option<S>, by: By) -> Error {
        // What makes an object is for others than what goes on with it, though it may have the same name.
        let meant = self.rows.iter().filter(|row| row.name == name && (from.is_none() || !row.from.is_empty()));
        let meant: Vec<_> = meant.flat_map(|row| row.by).collect();
        let people: Vec<_> = meant.iter().filter(|by| by.is_person()).map(|by| by.name()).collect();
        let whose = format!("This is for the {}'s {}.", self.noun, people.join(" or "));
        let own = |from| self.around(from, by).filter(move |row| row.from.contains(&from)).map(|row| row.name);
        let own: Vec<_> = from.into_iter().flat_map(own).collect();
        let hint = if own.is_empty() { String::new() } else { format!(" What you may do: {}.", own.join(", ")) };
        Error::forbidden(whose + &hint)
    }

    /// The whole of it by names.
    pub fn chart(&self) -> Chart {
        let names = |states: &[S]| states.iter().map(|state| state.name()).collect();
        let line = |row: &Transition<S>| Line {
            name: row.name,
            label: row.label,
            from: names(row.from),
            to: row.to.name(),
            by: row.by,
            barred: names(row.barred.from),
        };
        Chart {
            noun: self.noun,
            states: names(S::ALL),
            ends: names(self.ends),
            lines: self.rows.iter().map(line).collect(),
        }
    }
}

/// What somebody may do next.
#[derive(Clone, Debug)]
pub struct Available {
    /// The mutation.
    pub name: &'static str,
    /// What a button says.
    pub label: &'static str,
    /// As whom.
    pub by: By,
    /// Why not, when somebody would expect it.
    pub refused: Option<Error>,
}

/// A life by names.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What lives it.
    pub noun: &'static str,
    /// Its states.
    pub states: Vec<&'static str>,
    /// Those that nothing follows.
    pub ends: Vec<&'static str>,
    /// Its transitions.
    pub lines: Vec<Line>,
}

/// A row of a life by names.
#[derive(Clone, Debug)]
pub struct Line {
    /// The mutation or the task.
    pub name: &'static str,
    /// What a button says.
    pub label: &'static str,
    /// Where it begins; empty when it makes the object.
    pub from: Vec<&'static str>,
    /// Where it leads.
    pub to: &'static str,
    /// Who may take it.
    pub by: &'static [By],
    /// Where it is refused for a reason worth telling.
    pub barred: Vec<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Code;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Door {
        Open,
        Shut,
        Gone,
    }

    impl State for Door {
        const ALL: &'static [Door] = &[Door::Open, Door::Shut, Door::Gone];

        fn name(self) -> &'static str {
            match self {
                Door::Open => "OPEN",
                Door::Shut => "SHUT",
                Door::Gone => "GONE",
            }
        }
    }

    const LIFE: Life<Door> = Life {
        noun: "door",
        ends: &[Door::Gone],
        rows: &[
            row("doorBuild", "Build", &[], Door::Open, &[By::Maker]),
            row("doorShut", "Shut", &[Door::Open], Door::Shut, &[By::Maker, By::Timer]),
            row("doorBreak", "Break", &[Door::Shut], Door::Gone, &[By::Staff]).barred(&[Door::Open], "Shut it first."),
        ],
    };

    fn refusal(outcome: Result<Door>) -> (Code, String) {
        let error = outcome.unwrap_err();
        (error.code, error.message)
    }

    #[test]
    fn the_table_decides() {
        assert_eq!(LIFE.born("doorBuild", By::Maker).unwrap(), Door::Open);
        assert_eq!(LIFE.step("doorShut", Door::Open, By::Timer).unwrap(), Door::Shut);
        assert_eq!(LIFE.step("doorBreak", Door::Shut, By::Staff).unwrap(), Door::Gone);
        let conflict = "This door is SHUT and cannot become SHUT.".to_owned();
        assert_eq!(refusal(LIFE.step("doorShut", Door::Shut, By::Maker)), (Code::Conflict, conflict));
        let barred = "Shut it first.".to_owned();
        assert_eq!(refusal(LIFE.step("doorBreak", Door::Open, By::Staff)), (Code::Conflict, barred));
        let forbidden = "This is for the door's staff. What you may do: doorShut.".to_owned();
        assert_eq!(refusal(LIFE.step("doorBreak", Door::Open, By::Maker)), (Code::Forbidden, forbidden));
        assert_eq!(refusal(LIFE.born("doorBuild", By::Staff)).0, Code::Forbidden);
        assert_eq!(refusal(LIFE.born("doorShut", By::Maker)).0, Code::Forbidden, "it makes no door");
    }

    #[test]
    fn available_is_what_leads_on_and_what_is_expected() {
        let open = |from, by: &[By]| {
            let found = LIFE.available(from, by, |name, by| LIFE.step(name, from, by));
            found.into_iter().map(|it| (it.name, it.by, it.refused.map(|error| error.code))).collect::<Vec<_>>()
        };
        assert_eq!(open(Door::Open, &[By::Maker]), [("doorShut", By::Maker, None)]);
        assert_eq!(open(Door::Shut, &[By::Maker, By::Staff]), [("doorBreak", By::Staff, None)]);
        assert_eq!(open(Door::Open, &[By::Staff]), [("doorBreak", By::Staff, Some(Code::Conflict))]);
        assert!(open(Door::Open, &[By::Timer]).is_empty(), "a timer is nobody");
        assert!(open(Door::Gone, &[By::Staff]).is_empty() && open(Door::Open, &[]).is_empty());
    }
}
