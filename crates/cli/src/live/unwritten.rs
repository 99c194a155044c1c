//! What was captured and could not be written: counted, so that the closing lines add up.

use super::{Capture, owned, plural, unnamed};
use crate::sink::say;
use pktwho_probe::Event;

impl Capture {
    /// After a failure to put out packets: counts those that lie in the rings.
    pub(super) fn abandon(&mut self) {
        // Should it fail, nothing more comes either.
        let _ = self.errand(pktwho_probe::Source::stop);
        while let Some(event) = self.live.next_event() {
            match &event {
                Event::Process(event) => self.processes.apply(event),
                Event::Packet(raw) => {
                    self.slots.find(raw.ends, &mut self.processes);
                    let packet = owned(raw, &self.processes, &self.slots);
                    let lineage = self.lineage.as_ref();
                    let taken = !raw.undecided || {
                        let unnamed = unnamed(&packet, &self.processes);
                        self.wanted.takes(&packet, lineage, unnamed) == Some(true)
                    };
                    self.abandoned += u64::from(taken);
                    self.refused += u64::from(!taken);
                }
            }
        }
    }

    /// Says how many a file did not take.
    pub(super) fn report_unwritten(&self) {
        let lost = self.sink.lost_packets();
        let unwritten = lost + self.abandoned;
        if lost > 0 {
            let plural = plural(unwritten);
            say(format_args!(
                "{unwritten} packet{plural} could not be written"
            ));
        }
    }
}
