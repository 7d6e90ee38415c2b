//! What the shop sells. All products and brands are invented.

use crate::json::Fields;
use crate::random::Random;

/// A product of the shop.
#[derive(Debug)]
pub(crate) struct Product {
    id: &'static str,
    name: &'static str,
    category: &'static str,
    brand: &'static str,
    cents: u64,
}

/// The shop's categories; each is a page of the site.
pub(crate) const CATEGORIES: [&str; 6] = ["shoes", "jackets", "bags", "camping", "care", "kids"];

const fn product(
    id: &'static str,
    category: &'static str,
    brand: &'static str,
    name: &'static str,
    cents: u64,
) -> Product {
    Product { id, name, category, brand, cents }
}

/// Six products of each category, in the order of the categories.
const PRODUCTS: [Product; 36] = [
    product("p101", "shoes", "Fjelltur", "Ridge Boots", 15_900),
    product("p102", "shoes", "Fjelltur", "Trail Runners", 11_900),
    product("p103", "shoes", "Lunde", "Harbour Sneakers", 8_950),
    product("p104", "shoes", "Lunde", "Rain Boots", 5_900),
    product("p105", "shoes", "Kvist", "Wool Slippers", 3_990),
    product("p106", "shoes", "Kvist", "Winter Boots", 18_900),
    product("p201", "jackets", "Fjelltur", "Storm Shell", 24_900),
    product("p202", "jackets", "Fjelltur", "Down Jacket", 21_900),
    product("p203", "jackets", "Lunde", "Rain Coat", 9_900),
    product("p204", "jackets", "Kvist", "Fleece Jacket", 6_900),
    product("p205", "jackets", "Kvist", "Wool Cardigan", 8_400),
    product("p206", "jackets", "Lunde", "Wind Vest", 4_950),
    product("p301", "bags", "Fjelltur", "Expedition Pack 60", 17_900),
    product("p302", "bags", "Fjelltur", "Day Pack 20", 7_900),
    product("p303", "bags", "Lunde", "Canvas Tote", 2_990),
    product("p304", "bags", "Lunde", "Weekend Bag", 9_450),
    product("p305", "bags", "Kvist", "Hip Pack", 3_490),
    product("p306", "bags", "Kvist", "Dry Bag", 2_450),
    product("p401", "camping", "Fjelltur", "Two-Person Tent", 22_900),
    product("p402", "camping", "Fjelltur", "Sleeping Bag", 14_900),
    product("p403", "camping", "Kvist", "Head Torch", 3_950),
    product("p404", "camping", "Kvist", "Enamel Cup", 1_290),
    product("p405", "camping", "Lunde", "Gas Stove", 5_490),
    product("p406", "camping", "Lunde", "Camping Chair", 4_490),
    product("p501", "care", "Kvist", "Shoe Wax", 990),
    product("p502", "care", "Kvist", "Leather Balm", 1_250),
    product("p503", "care", "Lunde", "Waterproofing Spray", 1_490),
    product("p504", "care", "Lunde", "Spare Laces", 550),
    product("p505", "care", "Fjelltur", "Down Wash", 1_190),
    product("p506", "care", "Fjelltur", "Repair Kit", 1_990),
    product("p601", "kids", "Lunde", "Kids Rain Set", 5_490),
    product("p602", "kids", "Lunde", "Kids Rain Boots", 2_990),
    product("p603", "kids", "Kvist", "Kids Fleece", 3_490),
    product("p604", "kids", "Kvist", "Mittens", 1_450),
    product("p605", "kids", "Fjelltur", "Kids Day Pack", 4_450),
    product("p606", "kids", "Fjelltur", "Kids Snow Suit", 9_900),
];

/// Draws a product of a category; cheap and dear ones are equally likely.
pub(crate) fn product_of(category: &str, random: &mut Random) -> &'static Product {
    let drawn = random.pick(&PRODUCTS);
    let place = random.below(6) as usize;
    PRODUCTS.iter().filter(|product| product.category == category).nth(place).unwrap_or(drawn)
}

impl Product {
    /// Gives the price in cents.
    pub(crate) fn cents(&self) -> u64 {
        self.cents
    }

    /// Writes the fields by which events name a product.
    pub(crate) fn fields(&self) -> Fields {
        Fields::new()
            .text("product_id", self.id)
            .text("name", self.name)
            .text("category", self.category)
            .text("brand", self.brand)
            .money("price", self.cents)
    }

    /// Gives the address of the product's page.
    pub(crate) fn url(&self) -> String {
        format!("https://shop.example.com/{}/{}", self.category, self.id)
    }
}
