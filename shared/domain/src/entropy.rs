//! Randomness as an argument: the shell draws the bytes, the rules spend them.

use crate::ids::{CouponCode, ErasureId, MemberId};

/// Letters and digits that are not taken for one another when read aloud or written by hand; 32, so that a byte
/// chooses one without bias.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// 60 bits: nobody guesses a code, and a person can still type it.
const CODE_SYMBOLS: usize = 12;
const CODE_GROUP: usize = 4;
/// 100 bits: two members never draw the same.
const MEMBER_SYMBOLS: usize = 20;

/// Whether a text could be a code that was drawn here.
pub(crate) fn has_the_form_of_a_code(text: &str) -> bool {
    let groups = CODE_SYMBOLS / CODE_GROUP;
    text.split('-').count() == groups
        && text
            .split('-')
            .all(|group| group.len() == CODE_GROUP && group.bytes().all(|letter| ALPHABET.contains(&letter)))
}

/// Random bytes for one decision, spent from the front.
#[derive(Debug, Clone)]
pub struct Entropy {
    bytes: Vec<u8>,
    spent: usize,
}

impl Entropy {
    /// Enough for a member and as many coupons as one decision issues.
    pub const BYTES: usize = MEMBER_SYMBOLS + CODE_SYMBOLS * crate::decide::MAX_COUPONS_PER_DECISION;

    /// Wraps bytes from a secure source.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, spent: 0 }
    }

    /// A new member's identifier, or nothing when the bytes are spent.
    pub fn member_id(&mut self) -> Option<MemberId> {
        let text = self.symbols(MEMBER_SYMBOLS)?;
        MemberId::new(text).ok()
    }

    /// A new erasure's identifier, which also salts its digests; or nothing when the bytes are spent.
    pub fn erasure_id(&mut self) -> Option<ErasureId> {
        let text = self.symbols(MEMBER_SYMBOLS)?;
        ErasureId::new(text).ok()
    }

    /// A new coupon's code, or nothing when the bytes are spent.
    pub fn coupon_code(&mut self) -> Option<CouponCode> {
        let text = self.symbols(CODE_SYMBOLS)?;
        let groups: Vec<&str> = (0..CODE_SYMBOLS)
            .step_by(CODE_GROUP)
            .filter_map(|start| text.get(start..start + CODE_GROUP))
            .collect();
        CouponCode::new(groups.join("-")).ok()
    }

    fn symbols(&mut self, count: usize) -> Option<String> {
        let bytes = self.bytes.get(self.spent..self.spent + count)?;
        self.spent += count;
        Some(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_drawn_until_the_bytes_are_spent() {
        let mut entropy = Entropy::new((0..CODE_SYMBOLS * 2).map(|n| n as u8).collect());
        assert_eq!(entropy.coupon_code().unwrap().as_str(), "2345-6789-ABCD");
        assert_eq!(entropy.coupon_code().unwrap().as_str(), "EFGH-JKLM-NPQR");
        assert_eq!(entropy.coupon_code(), None);
    }
}
