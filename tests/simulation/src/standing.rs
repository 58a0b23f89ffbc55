//! What a change of the site file must leave as it was (docs/decisions/0009).

use crate::gateway::{Alive, Gateway};
use crate::invariants::Broken;
use davy_config::site::Site;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How alarms and outputs stood before a change of the site file.
pub(crate) struct Standing {
    site: Arc<Site>,
    /// By id; `None` of a gateway that is down.
    stood: Option<Stood>,
}

type Stood = (BTreeMap<String, [u32; 6]>, BTreeMap<String, bool>);

impl Standing {
    pub(crate) fn of(gateway: &Gateway) -> Self {
        Self {
            site: gateway.site.clone(),
            stood: gateway
                .alive
                .as_ref()
                .map(|alive| stood(&gateway.site, alive)),
        }
    }

    /// What both files have stands as it stood: no alarm is forgotten, none made, and nothing is switched off; on, only by what the new file adds.
    pub(crate) fn goes_on(self, gateway: &Gateway) -> Result<(), Broken> {
        let (Some((alarms, outputs)), Some(alive)) = (self.stood, &gateway.alive) else {
            return Ok(());
        };
        let (alarms_now, outputs_now) = stood(&gateway.site, alive);
        for (id, was) in &alarms {
            if let Some(is) = alarms_now.get(id).filter(|is| *is != was) {
                let what = format!("{id} was {was:?} before the site file changed, and is {is:?}");
                return Err(Broken::of(gateway, what));
            }
        }
        // A siren that only runs out its time may end with the effect that started it.
        let ends = self.site.effects.len() > gateway.site.effects.len();
        let begins = gateway.site.effects.len() > self.site.effects.len();
        // One that comes back may also be as a restart left it: over, and acknowledged by nobody.
        let alarms_more = (alarms_now.iter()).any(|(id, [active, acknowledged, ..])| {
            (*active == 1 || *acknowledged == 0) && !alarms.contains_key(id)
        });
        for (id, was) in outputs {
            let is = outputs_now.get(&id).copied().unwrap_or_default();
            let of_effect = id == "SIREN-1" && if was { ends } else { begins };
            if is != was && !of_effect && (was || !alarms_more) {
                let what = format!("{id} was {was} before the site file changed, and is {is}");
                return Err(Broken::of(gateway, what));
            }
        }
        Ok(())
    }
}

fn stood(site: &Site, alive: &Alive) -> Stood {
    let picture = alive.works.live.picture();
    let alarms = picture.alarms.iter().map(|alarm| {
        let flags = [
            alarm.active,
            alarm.acknowledged,
            alarm.latched,
            alarm.shelved,
            alarm.out_of_service,
        ]
        .map(u32::from);
        let [active, acknowledged, latched, shelved, out] = flags;
        let state = [
            active,
            acknowledged,
            latched,
            shelved,
            out,
            alarm.occurrence,
        ];
        (site.alarms[alarm.alarm.0].id.clone(), state)
    });
    let demanded = alive.works.demanded.borrow().on.clone();
    let outputs = site.outputs.iter().map(|output| output.id.clone());
    (alarms.collect(), outputs.zip(demanded).collect())
}
