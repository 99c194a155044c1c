//! The two directions of a connection.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Forth,
    Back,
}

impl Way {
    pub const ALL: [Self; 2] = [Self::Forth, Self::Back];

    /// The other one.
    pub fn opposite(self) -> Self {
        match self {
            Self::Forth => Self::Back,
            Self::Back => Self::Forth,
        }
    }
}

/// Something for each direction.
#[derive(Debug, Default)]
pub struct Both<T> {
    forth: T,
    back: T,
}

impl<T> Both<T> {
    pub fn get(&self, way: Way) -> &T {
        match way {
            Way::Forth => &self.forth,
            Way::Back => &self.back,
        }
    }

    pub fn get_mut(&mut self, way: Way) -> &mut T {
        match way {
            Way::Forth => &mut self.forth,
            Way::Back => &mut self.back,
        }
    }
}
