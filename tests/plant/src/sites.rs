//! The four demo sites. Their site files are `config/examples/<id>.toml`; a test of the whole keeps the two in step.

use crate::image::Model;
use crate::layout::{BusLayout, Layout, Wire, channel, device, relays};
use crate::process::Actuator::{Annunciator, Fan, PowerCut, StopFill};
use crate::process::Source::{Contact, Filter as Dust, Gas, Head, Heat, Level, Oxygen, Steady};
use crate::process::{self, Cell, Process, Tank};

/// Every demo site, in the order of their ports.
pub fn all() -> Vec<Layout> {
    vec![
        tank_farm(),
        dust_workshop(),
        cold_store(),
        solvent_warehouse(),
    ]
}

/// One demo site by its id.
pub fn by_id(id: &str) -> Option<Layout> {
    all().into_iter().find(|layout| layout.id == id)
}

const LEL: (f64, f64) = (0.0, 100.0);
const FLAG: (f64, f64) = (0.0, 1.0);

fn tank(level_percent: f64, filling: bool) -> Tank {
    let (low_percent, high_percent, rim_percent) = (30.0, 80.0, 100.0);
    Tank {
        level_percent,
        low_percent,
        high_percent,
        rim_percent,
        rate_percent_per_s: 0.05,
        filling,
    }
}

/// Two LPG and condensate tanks on Modbus TCP.
pub fn tank_farm() -> Layout {
    let gas = vec![
        device(
            "GD-01",
            1,
            Model::HoneywellXnx,
            vec![channel(1, "GT-101", LEL, Gas(0))],
        ),
        device(
            "GD-02",
            2,
            Model::HoneywellXnx,
            vec![channel(1, "GT-102", LEL, Gas(1))],
        ),
        device(
            "GD-03",
            3,
            Model::HoneywellXnx,
            vec![channel(1, "GT-201", LEL, Gas(2))],
        ),
        device(
            "GD-04",
            4,
            Model::MsaUltimaX3,
            vec![channel(1, "AT-103", (0.0, 50.0), Gas(3))],
        ),
        device(
            "GD-05",
            5,
            Model::RkiM2a,
            vec![channel(1, "GT-202", LEL, Gas(2))],
        ),
    ];
    let head = |tank| Head {
        tank,
        base: 600.0,
        per_percent: 1.5,
    };
    let io = vec![
        device(
            "LG-1",
            11,
            Model::Rosemount5300,
            vec![channel(1, "LT-101", LEL, Level(0))],
        ),
        device(
            "LG-2",
            12,
            Model::Rosemount5300,
            vec![channel(1, "LT-201", LEL, Level(1))],
        ),
        device(
            "AI-1",
            1,
            Model::MoxaE1200Ai,
            vec![
                channel(1, "PT-101", (0.0, 1600.0), head(0)),
                channel(2, "PT-201", (0.0, 1600.0), head(1)),
                channel(3, "TT-101", (-20.0, 80.0), Heat(0)),
                channel(4, "TT-201", (-20.0, 80.0), Heat(1)),
            ],
        ),
        relays(
            "IO-1",
            2,
            vec![
                channel(1, "LSH-101", FLAG, Contact(0)),
                channel(2, "HS-101", FLAG, Contact(1)),
            ],
            &[
                Annunciator,
                Annunciator,
                Fan(0),
                Fan(2),
                StopFill(0),
                StopFill(1),
            ],
        ),
    ];
    Layout {
        id: "tank-farm",
        buses: vec![
            BusLayout {
                id: "gas",
                wire: Wire::Tcp,
                devices: gas,
            },
            BusLayout {
                id: "io",
                wire: Wire::Tcp,
                devices: io,
            },
        ],
        process: Process {
            cells: vec![
                Cell::of(0.0, 100.0).next_to(1, 0.03),
                Cell::of(0.0, 100.0).next_to(0, 0.03).next_to(2, 0.004),
                Cell::of(0.0, 100.0).next_to(1, 0.004),
                Cell::of(0.0, 50.0),
            ],
            tanks: vec![tank(62.0, true), tank(48.0, false)],
            heats: vec![process::Heat::at(21.5), process::Heat::at(22.3)],
            contacts: vec![false, false],
            ..Process::default()
        },
        leaks_at: "GT-101",
    }
}

/// Two aluminium polishing lines with dry collectors, on one RS-485 line.
pub fn dust_workshop() -> Layout {
    let devices = vec![
        device(
            "AI-1",
            1,
            Model::LoopModule,
            vec![
                channel(1, "PDT-1", (0.0, 3000.0), Dust(0)),
                channel(2, "PDT-2", (0.0, 3000.0), Dust(1)),
                channel(3, "TT-1", (0.0, 150.0), Heat(0)),
                channel(4, "TT-2", (0.0, 150.0), Heat(1)),
                channel(5, "PT-1", (0.0, 1000.0), Steady(550.0)),
            ],
        ),
        device(
            "GD-1",
            2,
            Model::RaeGuard3,
            vec![channel(1, "AT-1", (0.0, 500.0), Gas(0))],
        ),
        device(
            "GD-2",
            3,
            Model::RkiM2a,
            vec![channel(1, "AT-2", (0.0, 300.0), Gas(1))],
        ),
        relays(
            "IO-1",
            10,
            (1..)
                .zip(["XS-1", "XS-2", "XS-3", "XS-4"])
                .map(|(at, point)| channel(at, point, FLAG, Contact(usize::from(at) - 1)))
                .collect(),
            &[Annunciator, Annunciator, Fan(0), Fan(1), PowerCut],
        ),
    ];
    let filter = |pressure_pa| process::Filter {
        pressure_pa,
        clean_pa: 800.0,
        dirty_pa: 1200.0,
        clog_pa_per_s: 1.0,
    };
    Layout {
        id: "dust-workshop",
        buses: vec![BusLayout {
            id: "rs485",
            wire: Wire::Pty { baud: 9600 },
            devices,
        }],
        process: Process {
            cells: vec![
                Cell::of(1.0, 500.0).next_to(1, 0.005),
                Cell::of(1.0, 300.0).next_to(0, 0.005),
            ],
            filters: vec![filter(820.0), filter(990.0)],
            heats: vec![process::Heat::at(31.0), process::Heat::at(29.5)],
            contacts: vec![false; 4],
            ..Process::default()
        },
        leaks_at: "XS-1",
    }
}

/// An ammonia cold store: machine room and two cold rooms, behind a serial converter.
pub fn cold_store() -> Layout {
    let nh3 = |point, cell| vec![channel(1, point, (0.0, 300.0), Gas(cell))];
    let devices = vec![
        device("GD-1", 1, Model::MsaUltimaX3, nh3("NH3-1", 0)),
        device("GD-2", 2, Model::MsaUltimaX3, nh3("NH3-2", 1)),
        device("GD-3", 3, Model::MsaUltimaX3, nh3("NH3-3", 2)),
        device(
            "GD-4",
            4,
            Model::DongxinSf6O2,
            vec![channel(2, "O2-1", (0.0, 25.0), Oxygen(0))],
        ),
        device(
            "AI-1",
            5,
            Model::LoopModule,
            vec![
                channel(1, "PT-1", (0.0, 2500.0), Steady(1180.0)),
                channel(2, "PT-2", (0.0, 1000.0), Steady(190.0)),
                channel(3, "TT-1", (0.0, 150.0), Heat(0)),
                channel(4, "TT-2", (-40.0, 40.0), Heat(1)),
                channel(5, "TT-3", (-40.0, 40.0), Heat(2)),
            ],
        ),
        relays(
            "IO-1",
            10,
            vec![
                channel(1, "HS-1", FLAG, Contact(0)),
                channel(2, "ZS-1", FLAG, Contact(1)),
            ],
            &[Annunciator, Annunciator, Fan(0), Fan(1), Fan(2), PowerCut],
        ),
    ];
    Layout {
        id: "cold-store",
        buses: vec![BusLayout {
            id: "serial",
            wire: Wire::RtuOverTcp { baud: 19_200 },
            devices,
        }],
        process: Process {
            cells: vec![
                Cell::of(0.0, 300.0).next_to(1, 0.01),
                Cell::of(0.0, 300.0).next_to(0, 0.01).next_to(2, 0.01),
                Cell::of(0.0, 300.0).next_to(1, 0.01),
            ],
            heats: vec![
                process::Heat::at(82.0),
                process::Heat::at(-18.5),
                process::Heat::at(-22.0),
            ],
            contacts: vec![false, false],
            ..Process::default()
        },
        leaks_at: "NH3-1",
    }
}

/// A warehouse of drummed solvents on Modbus TCP.
pub fn solvent_warehouse() -> Layout {
    let gas = vec![
        device(
            "GC-1",
            1,
            Model::HoneywellTouchPointPro,
            vec![
                channel(1, "GT-1", LEL, Gas(0)),
                channel(2, "GT-2", LEL, Gas(0)),
                channel(3, "GT-3", LEL, Gas(1)),
                channel(4, "AT-1", (0.0, 100.0), Gas(2)),
                channel(5, "AT-2", (0.0, 20.0), Gas(3)),
            ],
        ),
        device(
            "GD-2",
            2,
            Model::Sierra5100,
            vec![
                channel(1, "GT-4", LEL, Gas(1)),
                channel(2, "TT-1", (-20.0, 80.0), Heat(0)),
            ],
        ),
    ];
    let io = vec![
        device(
            "AI-1",
            1,
            Model::MoxaE1200Ai,
            vec![
                channel(1, "TT-2", (-20.0, 80.0), Heat(1)),
                channel(2, "MT-1", (0.0, 100.0), Steady(46.0)),
            ],
        ),
        relays(
            "IO-1",
            2,
            vec![
                channel(1, "BS-1", FLAG, Contact(0)),
                channel(2, "ZS-1", FLAG, Contact(1)),
            ],
            &[Annunciator, Annunciator, Fan(0), Fan(1), PowerCut],
        ),
    ];
    Layout {
        id: "solvent-warehouse",
        buses: vec![
            BusLayout {
                id: "gas",
                wire: Wire::Tcp,
                devices: gas,
            },
            BusLayout {
                id: "io",
                wire: Wire::Tcp,
                devices: io,
            },
        ],
        process: Process {
            cells: vec![
                Cell::of(0.0, 100.0).next_to(1, 0.01),
                Cell::of(0.0, 100.0).next_to(0, 0.01),
                Cell::of(1.0, 100.0),
                Cell::of(0.1, 20.0),
            ],
            heats: vec![process::Heat::at(19.0), process::Heat::at(19.8)],
            contacts: vec![false, false],
            ..Process::default()
        },
        leaks_at: "GT-1",
    }
}
