//! The site file: what stands in it, whether it is valid, and what it means.
pub mod site;
