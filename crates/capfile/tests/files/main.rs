//! Everything that is tested from outside, one program.

#[cfg(test)]
mod carry;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod model;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod repeat;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tools;
