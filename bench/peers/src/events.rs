//! Events of a shop, as lines of JSON, the same ones every time.

use serde::Deserialize;

/// What is decoded of a line. Fields that no predicate looks at are skipped.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Line<'a> {
    pub(crate) event: &'a str,
    #[serde(borrow)]
    pub(crate) properties: Properties<'a>,
}

/// The properties that predicates look at. Amounts have two decimal places.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Properties<'a> {
    pub(crate) total: f64,
    pub(crate) price: f64,
    pub(crate) quantity: f64,
    pub(crate) category: &'a str,
    pub(crate) country: &'a str,
    pub(crate) coupon: Option<&'a str>,
}

impl Properties<'_> {
    /// An amount in hundredths, for engines without fractions.
    pub(crate) fn hundredths(amount: f64) -> i64 {
        // Amounts are positive, have two places and are far below 2^53 hundredths, so that this is exact.
        #[expect(clippy::cast_possible_truncation, reason = "amounts are small")]
        let hundredths = (amount * 100.0 + 0.5) as i64;
        hundredths
    }
}

const CATEGORIES: [&str; 8] = ["shoes", "bags", "coats", "socks", "shirts", "hats", "belts", "scarves"];
const COUNTRIES: [&str; 6] = ["NO", "NO", "SE", "DK", "FI", "GB"];
const COUPONS: [&str; 4] = ["WELCOME10", "SUMMER24", "FRIENDS5", "FREESHIP"];

/// So many lines of about 175 bytes: orders and views of products.
pub(crate) fn lines(count: usize) -> Vec<String> {
    let mut random = Random(0x5E67_0E00);
    (0..count).map(|number| line(&mut random, number)).collect()
}

/// Decodes every line.
///
/// # Errors
/// When a line is not what [`Line`] expects.
pub(crate) fn decode(lines: &[String]) -> serde_json::Result<Vec<Line<'_>>> {
    lines.iter().map(|line| serde_json::from_str(line)).collect()
}

fn line(random: &mut Random, number: usize) -> String {
    let (event, id) = if random.below(10) < 4 { ("Order Completed", 'o') } else { ("Product Viewed", 'p') };
    let customer = random.below(5_000);
    let price = 500 + random.below(29_500);
    let quantity = 1 + random.below(5);
    let total = price * quantity;
    let category = random.pick(&CATEGORIES);
    let country = random.pick(&COUNTRIES);
    let coupon = match random.below(4) {
        0 => format!(r#","coupon":"{}""#, random.pick(&COUPONS)),
        _ => String::new(),
    };
    let amount = |hundredths: u64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
    let (total, price) = (amount(total), amount(price));
    format!(
        r#"{{"type":"track","event":"{event}","userId":"c{customer:05}","properties":{{"{id}_id":"{number:07}","category":"{category}","price":{price},"quantity":{quantity},"total":{total},"country":"{country}"{coupon}}}}}"#
    )
}

/// `SplitMix64`.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    fn pick<'t, const N: usize>(&mut self, choices: &[&'t str; N]) -> &'t str {
        let place = usize::try_from(self.below(N as u64)).unwrap_or(0);
        choices.get(place).copied().unwrap_or_default()
    }
}
