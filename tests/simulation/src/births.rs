//! What a gateway says of itself on the wire: births that tell the whole site file in force, and data that speak in their aliases alone.

use davy_config::site::{DeviceIndex, Site};
use davy_wire::{Metric, Payload, Topic, Value, Verb, name};
use rumqttc::Publish;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Births(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    /// Every file that was ever in force, by digest.
    files: BTreeMap<String, Arc<Site>>,
    /// What the newest birth of the node told of.
    site: Option<Arc<Site>>,
    /// Devices born since.
    born: BTreeSet<String>,
    /// Aliases of these births.
    aliases: BTreeSet<u64>,
    /// What each alias meant since the process began, and in which file.
    meant: BTreeMap<u64, (String, String)>,
    broken: Option<String>,
}

impl Births {
    /// A file comes into force.
    pub(crate) fn know(&self, site: &Arc<Site>) {
        let (digest, site) = (site.digest.clone(), site.clone());
        self.lock().files.insert(digest, site);
    }

    /// The process begins anew, and its aliases with it.
    pub(crate) fn begin(&self) {
        let files = std::mem::take(&mut self.lock().files);
        *self.lock() = Told {
            files,
            ..Told::default()
        };
    }

    /// The gateway publishes.
    pub(crate) fn sees(&self, publish: &Publish) {
        let mut told = self.lock();
        if let Err(what) = told.sees(publish)
            && told.broken.is_none()
        {
            told.broken = Some(format!("{}: {what}", publish.topic));
        }
    }

    /// What was said wrongly so far.
    pub(crate) fn broken(&self) -> Result<(), String> {
        self.lock().broken.clone().map_or(Ok(()), Err)
    }

    /// Whether the newest births are those of this file, and of all its devices.
    pub(crate) fn are_of(&self, site: &Site) -> Result<(), String> {
        let told = self.lock();
        let of = told.site.as_ref().map(|site| site.digest.as_str());
        let all: BTreeSet<String> = site.devices.iter().map(|one| one.id.clone()).collect();
        if of == Some(site.digest.as_str()) && told.born == all {
            return Ok(());
        }
        Err(format!(
            "the newest births are of {of:?}, devices {:?}, and the file in force is {}",
            told.born, site.digest
        ))
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn sees(&mut self, publish: &Publish) -> Result<(), String> {
        let topic = Topic::parse(&publish.topic).map_err(|error| error.to_string())?;
        let Topic::Message { verb, device, .. } = topic else {
            return Ok(());
        };
        let read = || Payload::from_bytes(&publish.payload).map_err(|error| error.to_string());
        match (verb, device) {
            (Verb::NodeBirth, _) => self.node(&read()?),
            (Verb::DeviceBirth, Some(device)) => self.device(device, &read()?),
            (Verb::NodeData, _) => self.data(&read()?),
            (Verb::DeviceData, Some(device)) if self.born.contains(&device) => self.data(&read()?),
            (Verb::DeviceData, device) => Err(format!("{device:?} has data, and no birth")),
            _ => Ok(()),
        }
    }

    fn node(&mut self, payload: &Payload) -> Result<(), String> {
        let digest = payload
            .metric(name::DIGEST)
            .and_then(|metric| metric.value(None));
        let digest = digest.as_ref().and_then(Value::as_text).unwrap_or_default();
        let site = self.files.get(digest).cloned();
        let site = site.ok_or_else(|| format!("there was never a file {digest:?}"))?;
        (self.born, self.aliases) = (BTreeSet::new(), BTreeSet::new());
        self.site = Some(site.clone());
        let outputs = payload.metrics.iter();
        let outputs = outputs.filter(|metric| named(metric).starts_with(name::OUTPUTS));
        let told = self.told(&site, outputs)?;
        let all = site.outputs.iter();
        same(
            told,
            all.map(|output| format!("{}{}", name::OUTPUTS, output.id))
                .collect(),
        )
    }

    fn device(&mut self, id: String, payload: &Payload) -> Result<(), String> {
        let site = self
            .site
            .clone()
            .ok_or("a device is born before its node")?;
        let device = site.devices.iter().position(|device| device.id == id);
        let device = DeviceIndex(device.ok_or("the file has no such device")?);
        let metrics = payload
            .metrics
            .iter()
            .filter(|metric| named(metric) != name::OFFSET);
        let told = self.told(&site, metrics)?;
        let points = site.points.iter().filter(|point| point.device == device);
        let own = |at: &usize| site.home(davy_config::site::AlarmIndex(*at)) == device;
        let alarms = (0..site.alarms.len())
            .filter(own)
            .map(|at| site.alarms[at].id.clone());
        same(
            told,
            points.map(|point| point.id.clone()).chain(alarms).collect(),
        )?;
        self.born.insert(id);
        Ok(())
    }

    /// The ids that a birth tells; each has an alias that never meant anything else, and an alarm its limit by the file.
    fn told<'m>(
        &mut self,
        site: &Site,
        metrics: impl Iterator<Item = &'m Metric>,
    ) -> Result<BTreeSet<String>, String> {
        let mut ids = BTreeSet::new();
        for metric in metrics {
            let alarm = metric.property("alarm_id");
            let id = alarm.as_ref().and_then(Value::as_text);
            let id = id.map_or_else(|| named(metric).to_owned(), str::to_owned);
            if let Some(alarm) = site.alarms.iter().find(|alarm| alarm.id == id) {
                let limit = metric.property("limit").and_then(|limit| limit.as_f64());
                if limit != alarm.definition.condition.set_point() {
                    return Err(format!("the limit of {id} is told as {limit:?}"));
                }
            }
            let alias = metric.alias.ok_or_else(|| format!("{id} has no alias"))?;
            let meaning = (site.digest.clone(), id.clone());
            let meant = self.meant.entry(alias).or_insert_with(|| meaning.clone());
            if *meant != meaning || !self.aliases.insert(alias) {
                return Err(format!("alias {alias} is {meaning:?}, and was {meant:?}"));
            }
            ids.insert(id);
        }
        Ok(ids)
    }

    fn data(&self, payload: &Payload) -> Result<(), String> {
        let aliases = payload
            .metrics
            .iter()
            .filter(|metric| metric.name.is_none());
        for metric in aliases {
            if !metric
                .alias
                .is_some_and(|alias| self.aliases.contains(&alias))
            {
                return Err(format!("alias {:?} is in no birth", metric.alias));
            }
        }
        Ok(())
    }
}

fn named(metric: &Metric) -> &str {
    metric.name.as_deref().unwrap_or_default()
}

fn same(told: BTreeSet<String>, all: BTreeSet<String>) -> Result<(), String> {
    if told == all {
        return Ok(());
    }
    Err(format!(
        "the birth tells of {told:?}, and the file of {all:?}"
    ))
}
