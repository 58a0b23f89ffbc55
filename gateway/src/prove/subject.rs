//! What a bench can prove, by name and by position.

use super::plan::{basis, basis_of_output};
use super::proof::Of;
use davy_config::site::{OutputIndex, PointIndex, Proving, Site};

/// What a bench can prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Point(PointIndex),
    Output(OutputIndex),
}

pub(super) fn find(site: &Site, of: Of, id: &str) -> Option<Subject> {
    match of {
        Of::Point => {
            let at = site.points.iter().position(|point| point.id == id);
            at.map(|at| Subject::Point(PointIndex(at)))
        }
        Of::Output => {
            let at = site.outputs.iter().position(|output| output.id == id);
            at.map(|at| Subject::Output(OutputIndex(at)))
        }
    }
}

pub(super) fn named(site: &Site, subject: Subject) -> (&str, &Proving) {
    match subject {
        Subject::Point(PointIndex(at)) => (&site.points[at].id, &site.points[at].proving),
        Subject::Output(OutputIndex(at)) => (&site.outputs[at].id, &site.outputs[at].proving),
    }
}

pub(super) fn basis_of(site: &Site, subject: Subject) -> (Of, String) {
    match subject {
        Subject::Point(PointIndex(at)) => (Of::Point, basis(site, &site.points[at])),
        Subject::Output(OutputIndex(at)) => (Of::Output, basis_of_output(site, &site.outputs[at])),
    }
}
