//! The physics of a site: simple, coherent, stepped by time. Gas leaks, spreads, decays and is drawn off by fans; tanks fill until a valve
//! request stops them; filters clog; heat builds and is lost. Pure: no clock, no noise.

/// What an instrument looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// Concentration of a cell, in the unit of its instruments.
    Gas(usize),
    /// Level of a tank, % of its height.
    Level(usize),
    /// Pressure that falls out of a tank's level: `base + per_percent × level`, in the instrument's unit.
    Head {
        tank: usize,
        base: f64,
        per_percent: f64,
    },
    /// Pressure difference over a filter, Pa.
    Filter(usize),
    /// Temperature of a body, °C.
    Heat(usize),
    /// A contact, 0 or 1.
    Contact(usize),
    /// Oxygen that a gas cell displaces: 20.9 %vol less the ppm of the cell / 10,000 / 4.8.
    Oxygen(usize),
    /// Something that stays as it is.
    Steady(f64),
}

impl Source {
    /// What a disturbance strikes when an instrument that looks at this goes wrong: the tank behind a pressure, the gas behind missing oxygen.
    pub fn root(self) -> Self {
        match self {
            Self::Head { tank, .. } => Self::Level(tank),
            Self::Oxygen(cell) => Self::Gas(cell),
            Self::Gas(_)
            | Self::Level(_)
            | Self::Filter(_)
            | Self::Heat(_)
            | Self::Contact(_)
            | Self::Steady(_) => self,
        }
    }
}

/// A volume of air with one gas in it.
#[derive(Clone, Debug)]
pub struct Cell {
    pub background: f64,
    pub concentration: f64,
    /// What a leak adds each second.
    pub leak_per_s: f64,
    /// Share that goes off by itself each second.
    pub decay_per_s: f64,
    /// Share that a running fan draws off each second.
    pub fan_per_s: f64,
    /// Neighbours, and the share of the difference that crosses each second.
    pub spread: Vec<(usize, f64)>,
}

impl Cell {
    /// A cell whose leak adds 4 % of `high` a second: without a fan it passes half of `high` in some 15 s, with its fan it settles at a quarter.
    pub fn of(background: f64, high: f64) -> Self {
        Self {
            background,
            concentration: background,
            leak_per_s: high * 0.04,
            decay_per_s: 0.02,
            fan_per_s: 0.15,
            spread: Vec::new(),
        }
    }

    #[must_use]
    pub fn next_to(mut self, neighbour: usize, share_per_s: f64) -> Self {
        self.spread.push((neighbour, share_per_s));
        self
    }
}

/// A tank that is filled and drawn from in turns, between `low_percent` and `high_percent`.
#[derive(Clone, Debug)]
pub struct Tank {
    pub level_percent: f64,
    pub low_percent: f64,
    pub high_percent: f64,
    /// The rim: it cannot hold more.
    pub rim_percent: f64,
    pub rate_percent_per_s: f64,
    pub filling: bool,
}

/// A filter whose cake grows until it is cleaned.
#[derive(Clone, Debug)]
pub struct Filter {
    pub pressure_pa: f64,
    pub clean_pa: f64,
    /// Pulse-jet cleaning starts here.
    pub dirty_pa: f64,
    pub clog_pa_per_s: f64,
}

/// A body that tends to its surroundings.
#[derive(Clone, Debug)]
pub struct Heat {
    pub celsius: f64,
    pub ambient_c: f64,
    pub heating_c_per_s: f64,
    pub loss_per_s: f64,
}

impl Heat {
    /// A body at rest; disturbed, it tends to 120 K above its surroundings.
    pub fn at(ambient_c: f64) -> Self {
        Self {
            celsius: ambient_c,
            ambient_c,
            heating_c_per_s: 2.4,
            loss_per_s: 0.02,
        }
    }
}

/// What an output of the gateway acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actuator {
    /// Draws a cell off.
    Fan(usize),
    /// Asks the safety system to shut a tank's filling valve; the simulated one grants it.
    StopFill(usize),
    /// Takes the heating and the sparks away.
    PowerCut,
    /// Heard or seen by people alone.
    Annunciator,
}

/// A disturbance that a scenario puts on a source for as long as it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disturbance(pub Source);

/// A site's process.
#[derive(Clone, Debug, Default)]
pub struct Process {
    pub cells: Vec<Cell>,
    pub tanks: Vec<Tank>,
    pub filters: Vec<Filter>,
    pub heats: Vec<Heat>,
    /// Contacts as they are undisturbed.
    pub contacts: Vec<bool>,
    /// Contacts as they are now; the process itself fills it.
    pub closed: Vec<bool>,
}

/// Longest stretch computed at once, s: within it every rate above moves by a few per cent.
const STRIDE_S: f64 = 0.1;

impl Process {
    /// Lets `seconds` pass with these outputs on and these disturbances acting. At most 100 s are computed; more is cut off.
    pub fn step(&mut self, seconds: f64, on: &[Actuator], disturbed: &[Disturbance]) {
        let mut left = seconds.clamp(0.0, 100.0);
        while left > 0.0 {
            let stride = left.min(STRIDE_S);
            self.stride(stride, on, disturbed);
            left -= STRIDE_S;
        }
    }

    fn stride(&mut self, seconds: f64, on: &[Actuator], disturbed: &[Disturbance]) {
        let acts = |source: Source| disturbed.contains(&Disturbance(source));
        self.gas(seconds, on, acts);
        let cut = on.contains(&Actuator::PowerCut);
        for (at, tank) in self.tanks.iter_mut().enumerate() {
            let stopped = on.contains(&Actuator::StopFill(at));
            tank.pass(seconds, stopped, acts(Source::Level(at)));
        }
        for (at, filter) in self.filters.iter_mut().enumerate() {
            filter.pass(seconds, acts(Source::Filter(at)));
        }
        for (at, heat) in self.heats.iter_mut().enumerate() {
            heat.pass(seconds, acts(Source::Heat(at)) && !cut);
        }
        self.closed = (0..self.contacts.len())
            .map(|at| self.contacts[at] != acts(Source::Contact(at)))
            .collect();
    }

    fn gas(&mut self, seconds: f64, on: &[Actuator], acts: impl Fn(Source) -> bool) {
        let before: Vec<f64> = self.cells.iter().map(|cell| cell.concentration).collect();
        for (at, cell) in self.cells.iter_mut().enumerate() {
            let here = before[at];
            let leak = if acts(Source::Gas(at)) {
                cell.leak_per_s
            } else {
                0.0
            };
            let fan = if on.contains(&Actuator::Fan(at)) {
                cell.fan_per_s
            } else {
                0.0
            };
            let spread: f64 = cell
                .spread
                .iter()
                .filter_map(|(other, share)| Some((before.get(*other)? - here) * share))
                .sum();
            let away = (cell.decay_per_s + fan) * (here - cell.background);
            cell.concentration = (here + seconds * (leak + spread - away)).max(0.0);
        }
    }

    /// What a source is now. A source that the process lacks reads 0.
    pub fn value(&self, source: Source) -> f64 {
        match source {
            Source::Gas(at) => self.cells.get(at).map_or(0.0, |cell| cell.concentration),
            Source::Level(at) => self.level_percent(at),
            Source::Head {
                tank,
                base,
                per_percent,
            } => base + per_percent * self.level_percent(tank),
            Source::Filter(at) => self
                .filters
                .get(at)
                .map_or(0.0, |filter| filter.pressure_pa),
            Source::Heat(at) => self.heats.get(at).map_or(0.0, |heat| heat.celsius),
            Source::Contact(at) => f64::from(u8::from(self.contact(at))),
            Source::Oxygen(at) => (20.9 - self.value(Source::Gas(at)) / 48_000.0).max(0.0),
            Source::Steady(value) => value,
        }
    }

    fn level_percent(&self, at: usize) -> f64 {
        self.tanks.get(at).map_or(0.0, |tank| tank.level_percent)
    }

    fn contact(&self, at: usize) -> bool {
        let at_rest = self.contacts.get(at).copied().unwrap_or(false);
        self.closed.get(at).copied().unwrap_or(at_rest)
    }
}

impl Tank {
    /// Overfilling is what a disturbed tank does: four times the rate, and no regard to its upper mark.
    fn pass(&mut self, seconds: f64, stopped: bool, overfilling: bool) {
        if overfilling {
            self.filling = true;
        } else if self.level_percent >= self.high_percent || stopped {
            self.filling = false;
        } else if self.level_percent <= self.low_percent {
            self.filling = true;
        }
        let rate = match (self.filling && !stopped, overfilling) {
            (true, true) => 4.0 * self.rate_percent_per_s,
            (true, false) => self.rate_percent_per_s,
            (false, _) => -self.rate_percent_per_s,
        };
        self.level_percent = (self.level_percent + rate * seconds).clamp(0.0, self.rim_percent);
    }
}

impl Filter {
    /// A disturbed filter clogs fifty times as fast and is not cleaned.
    fn pass(&mut self, seconds: f64, blocked: bool) {
        let speed = if blocked { 50.0 } else { 1.0 };
        self.pressure_pa += self.clog_pa_per_s * speed * seconds;
        if !blocked && self.pressure_pa > self.dirty_pa {
            self.pressure_pa = self.clean_pa;
        }
        self.pressure_pa = self.pressure_pa.min(self.dirty_pa * 3.0);
    }
}

impl Heat {
    fn pass(&mut self, seconds: f64, heated: bool) {
        let heating = if heated { self.heating_c_per_s } else { 0.0 };
        let loss = self.loss_per_s * (self.celsius - self.ambient_c);
        self.celsius += seconds * (heating - loss);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms() -> Process {
        Process {
            cells: vec![
                Cell::of(0.0, 300.0).next_to(1, 0.01),
                Cell::of(0.0, 300.0).next_to(0, 0.01),
            ],
            ..Process::default()
        }
    }

    const LEAK: [Disturbance; 1] = [Disturbance(Source::Gas(0))];

    #[test]
    fn a_leak_rises_past_half_the_range_in_half_a_minute() {
        let mut rooms = rooms();
        rooms.step(30.0, &[], &LEAK);
        assert!(rooms.cells[0].concentration > 150.0);
    }

    #[test]
    fn a_leak_spreads_to_the_next_room_and_decays_when_it_ends() {
        let mut rooms = rooms();
        rooms.step(60.0, &[], &LEAK);
        let (near, far) = (rooms.cells[0].concentration, rooms.cells[1].concentration);
        assert!(far > 10.0 && far < near);
        rooms.step(100.0, &[], &[]);
        assert!(rooms.cells[0].concentration < near / 2.0);
    }

    #[test]
    fn a_fan_holds_a_leak_below_half_the_range_and_clears_it_when_it_ends() {
        let mut rooms = rooms();
        rooms.step(60.0, &[], &LEAK);
        let fan = [Actuator::Fan(0)];
        rooms.step(60.0, &fan, &LEAK);
        assert!(rooms.cells[0].concentration < 100.0);
        rooms.step(60.0, &fan, &[]);
        assert!(rooms.cells[0].concentration < 10.0);
    }

    fn tank() -> Process {
        Process {
            tanks: vec![Tank {
                level_percent: 78.0,
                low_percent: 40.0,
                high_percent: 80.0,
                rim_percent: 110.0,
                rate_percent_per_s: 0.1,
                filling: true,
            }],
            ..Process::default()
        }
    }

    #[test]
    fn a_valve_request_stops_an_overfilling_tank() {
        let mut tank = tank();
        let over = [Disturbance(Source::Level(0))];
        tank.step(60.0, &[], &over);
        let level = tank.value(Source::Level(0));
        assert!(level > 95.0);
        tank.step(10.0, &[Actuator::StopFill(0)], &over);
        assert!(tank.value(Source::Level(0)) < level);
    }

    #[test]
    fn an_undisturbed_tank_stays_between_its_marks() {
        let mut tank = tank();
        for _ in 0..100 {
            tank.step(20.0, &[], &[]);
            assert!((39.0..81.0).contains(&tank.value(Source::Level(0))));
        }
    }

    #[test]
    fn a_filter_clogs_and_is_cleaned_unless_it_is_blocked() {
        let filter = Filter {
            pressure_pa: 800.0,
            clean_pa: 800.0,
            dirty_pa: 1200.0,
            clog_pa_per_s: 2.0,
        };
        let mut process = Process {
            filters: vec![filter],
            ..Process::default()
        };
        process.step(50.0, &[], &[]);
        let dirty = process.value(Source::Filter(0));
        assert!((850.0..1200.0).contains(&dirty));
        process.step(30.0, &[], &[Disturbance(Source::Filter(0))]);
        assert!(process.value(Source::Filter(0)) > 2000.0);
        process.step(1.0, &[], &[]);
        assert!(process.value(Source::Filter(0)) < 1200.0);
    }

    #[test]
    fn a_power_cut_lets_a_smouldering_hopper_cool() {
        let mut process = Process {
            heats: vec![Heat::at(25.0)],
            ..Process::default()
        };
        let smoulder = [Disturbance(Source::Heat(0))];
        process.step(60.0, &[], &smoulder);
        let hot = process.value(Source::Heat(0));
        assert!(hot > 80.0);
        process.step(20.0, &[Actuator::PowerCut], &smoulder);
        assert!(process.value(Source::Heat(0)) < hot);
    }

    #[test]
    fn a_spark_closes_its_contact_only_while_it_lasts() {
        let mut process = Process {
            contacts: vec![false],
            ..Process::default()
        };
        process.step(0.1, &[], &[Disturbance(Source::Contact(0))]);
        assert_eq!(process.value(Source::Contact(0)), 1.0);
        process.step(0.1, &[], &[]);
        assert_eq!(process.value(Source::Contact(0)), 0.0);
    }
}
