//! Orders that turned out to be parts of another one, as payments are of their invoice. A part earns nothing by itself;
//! its refunds are the whole's, whichever of the three is told first.
//!
//! Both writes of a part, of a refund and of what it is a part of, see what is there after them. So whichever comes
//! second hands the refund on; and if it is cut off before, its webhook was not answered and comes again.

use domain::OrderKey;

use super::Recorded;
use super::import::Told;
use super::news::News;
use crate::{Store, StoreError};

impl Store {
    /// Writes that an order, known or not, is a part of another one, known or not.
    pub async fn record_part(&self, part: &OrderKey, whole: &OrderKey) -> Result<Recorded, StoreError> {
        let (recorded, state) = self.record_and_read(part, &News::of_part(whole), Told::AsItHappens).await?;
        // Of two wholes the first one told stays.
        let Some((refunds, whole)) = state.and_then(|state| Some((state.refunds, state.part_of?))) else {
            return Ok(recorded);
        };
        if refunds.is_empty() {
            return Ok(recorded);
        }
        Ok(recorded.or(self.record_news(&whole, &News::of_refunds(&refunds), Told::AsItHappens).await?))
    }

    /// Writes a refund of an order, and of the one of which that is a part.
    pub(super) async fn refund_of_part_or_whole(
        &self,
        order: &OrderKey,
        refund: &News<'_>,
        told: Told,
    ) -> Result<Recorded, StoreError> {
        let (recorded, state) = self.record_and_read(order, refund, told).await?;
        match state.and_then(|state| state.part_of) {
            Some(whole) => Ok(recorded.or(self.record_news(&whole, refund, told).await?)),
            None => Ok(recorded),
        }
    }
}

impl Recorded {
    fn or(self, other: Self) -> Self {
        if self == Self::Stored { self } else { other }
    }
}
