//! The coupons of a sketch that has seen few distinct values.

/// A sketch with more distinct coupons than this turns to registers: three quarters of 2^(lg k - 3)
/// slots, as in DataSketches.
pub const MOST_COUPONS: usize = 384;

/// A set of coupons. Open addressing, a quarter full at most: a value that was seen before, the
/// common case in a column with few values, is nearly always found at the first look.
#[derive(Clone, Debug)]
pub struct Coupons {
    /// 0 is no coupon.
    slots: Box<[u32]>,
    len: usize,
}

impl Coupons {
    pub fn new() -> Self {
        Self { slots: Box::new([0; 32]), len: 0 }
    }

    /// Room for so many coupons, so that it need not grow for them.
    pub fn with_room_for(coupons: usize) -> Self {
        let slots = (4 * coupons).next_power_of_two().clamp(32, 4 * MOST_COUPONS.next_power_of_two());
        Self { slots: vec![0; slots].into(), len: 0 }
    }

    /// Forgets all coupons, and keeps the room for them.
    pub fn clear(&mut self) {
        if self.len > 0 {
            self.slots.fill(0);
            self.len = 0;
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub fn insert(&mut self, coupon: u32) {
        let mask = self.slots.len() - 1;
        let mut at = coupon as usize & mask;
        while self.slots[at & mask] != coupon {
            if self.slots[at & mask] == 0 {
                self.slots[at & mask] = coupon;
                self.len += 1;
                if self.len * 4 > self.slots.len() {
                    self.grow();
                }
                return;
            }
            at += 1;
        }
    }

    /// Moves coupons that are not found at the first look to the front, and returns how many.
    /// Without a branch: which values are found would be hard to predict.
    pub fn sift(&self, coupons: &mut [u32]) -> usize {
        let mask = self.slots.len() - 1;
        let mut n = 0;
        for at in 0..coupons.len() {
            let coupon = coupons[at];
            coupons[n] = coupon;
            n += usize::from(self.slots[coupon as usize & mask] != coupon);
        }
        n
    }

    #[cold]
    fn grow(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![0; old.len() * 2].into();
        self.len = 0;
        old.into_iter().filter(|&c| c != 0).for_each(|c| self.insert(c));
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().copied().filter(|&c| c != 0)
    }

    /// The coupons in ascending order: the same for equal sets.
    pub fn sorted(&self) -> Vec<u32> {
        let mut coupons: Vec<_> = self.iter().collect();
        coupons.sort_unstable();
        coupons
    }
}
