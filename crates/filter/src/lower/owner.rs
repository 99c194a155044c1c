//! Terms about processes and devices.
//!
//! What is the same for all packets of a device is decided here; what differs from packet to
//! packet remains a test.

use super::cond::Cond;
use super::{Lowered, Lowering, Refusal};
use crate::graph::Fact;
use crate::tree::{OwnerIs, OwnerTerm};

impl Lowering<'_> {
    pub(super) fn owner(&mut self, term: &OwnerTerm) -> Lowered<Cond> {
        let constant = |holds| if holds { Cond::Always } else { Cond::Never };
        Ok(match &term.is {
            OwnerIs::Device(glob) => {
                let name = self.device.name.as_deref();
                constant(name.is_some_and(|name| glob.matches(name.as_bytes())))
            }
            OwnerIs::Netns(name) => {
                let Some(wanted) = self.names.netns(name) else {
                    return self.refuse(Refusal::Netns(name.clone()));
                };
                constant(self.device.netns == Some(wanted))
            }
            OwnerIs::Dlt(number) => constant(u32::from(self.device.link_type.dlt()) == *number),
            OwnerIs::Direction(direction) => match direction.to_ascii_lowercase().as_str() {
                "in" => self.fact_is(Fact::Direction, 1),
                "out" => self.fact_is(Fact::Direction, 2),
                "" => self.fact_is(Fact::Direction, 0),
                _ => Cond::Never,
            },
            OwnerIs::User(name) => {
                let Some(uid) = self.names.user(name) else {
                    return self.refuse(Refusal::User(name.clone()));
                };
                let term = OwnerTerm {
                    end: term.end,
                    is: OwnerIs::Uid(uid),
                };
                Cond::Test(self.builder.owner(term))
            }
            _ => Cond::Test(self.builder.owner(term.clone())),
        })
    }
}
