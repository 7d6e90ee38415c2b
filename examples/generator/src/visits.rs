//! Visits to the shop: looking, filling a cart, leaving it or ordering.

use crate::calendar::{Day, HOUR, MINUTE};
use crate::catalogue::{CATEGORIES, product_of};
use crate::customer::{Cart, Customer, Habit};
use crate::extras;
use crate::json::Fields;
use crate::scene::{Arrival, Scene};

/// How many visits begin in each hour of the customer's day.
const HOURS: [u64; 24] =
    [6, 3, 1, 1, 1, 2, 8, 18, 26, 30, 34, 42, 48, 40, 36, 36, 42, 50, 58, 72, 84, 76, 48, 20];

/// Lets a customer live through a day: no visit, or one, and sometimes a return to the cart.
pub(crate) fn live(customer: &mut Customer, day: Day, end: i64, out: &mut Vec<Arrival>) {
    if !customer.comes_on(day) {
        return;
    }
    let hour = customer.random.weighted(&HOURS) as i64;
    let within = customer.random.between(0, HOUR - 1);
    let start = day.start() + hour * HOUR + within - customer.ahead_of_utc();
    visit(customer, start, Mood::Usual, end, out);
}

/// What brings somebody to the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Nothing in particular.
    Usual,
    /// A message with an offer.
    Offer,
}

/// Plays a visit that begins at `start`, or a little after the visit before.
pub(crate) fn visit(customer: &mut Customer, start: i64, mood: Mood, end: i64, out: &mut Vec<Arrival>) {
    let start = start.max(customer.busy_until + 5 * MINUTE);
    let mut scene = Scene::new(customer, start, end, out);
    arrive(&mut scene);
    let had_cart = scene.customer.cart.is_some();
    if had_cart && scene.chance(400) {
        look_at_cart(&mut scene);
        if decides_to_buy(&mut scene, mood) {
            order(&mut scene);
        }
    } else {
        browse(&mut scene, mood);
        extras::around_a_visit(&mut scene);
        settle(&mut scene, mood);
    }
    let now = scene.now;
    customer.busy_until = now;
}

fn arrive(scene: &mut Scene<'_>) {
    if scene.customer.has_app {
        scene.track("Application Opened", Fields::new().text("version", "4.2.0"));
        scene.pause(1, 6);
    } else {
        scene.page("Home", "home", "https://shop.example.com/");
        scene.pause(1, 20);
    }
    // Now and then people sign in anew, and their traits are sent once more.
    if !scene.customer.is_known || scene.chance(40) {
        scene.customer.is_known = true;
        scene.identify();
        scene.pause(2, 25);
    }
}

/// Looks at one to three categories and a few products of each.
fn browse(scene: &mut Scene<'_>, mood: Mood) {
    for _ in 0..1 + scene.customer.random.weighted(&[60, 28, 12]) {
        let favourite = scene.customer.favourite;
        let any = *scene.customer.random.pick(&CATEGORIES);
        let category = if scene.chance(600) { favourite } else { any };
        scene.page("Category", category, &format!("https://shop.example.com/{category}"));
        scene.pause(8, 70);
        for _ in 0..scene.customer.random.weighted(&[22, 38, 26, 14]) {
            look_at_product(scene, category, mood);
        }
    }
}

fn look_at_product(scene: &mut Scene<'_>, category: &str, mood: Mood) {
    let product = product_of(category, &mut scene.customer.random);
    scene.track("Product Viewed", product.fields().text("url", &product.url()));
    scene.pause(10, 160);
    let per_mille = match scene.customer.habit {
        Habit::Devoted => 330,
        Habit::Regular | Habit::Lapsing => 200,
        Habit::Browser => 60,
        Habit::BargainHunter => 380,
    };
    if !scene.chance(if mood == Mood::Offer { per_mille * 3 / 2 } else { per_mille }) {
        return;
    }
    let quantity = if scene.chance(850) { 1 } else { 2 };
    let customer = &mut *scene.customer;
    if customer.cart.is_none() {
        customer.carts += 1;
    }
    let (number, carts) = (customer.number + 1, customer.carts);
    let cart =
        customer.cart.get_or_insert_with(|| Cart { id: format!("cart-{number}-{carts}"), items: Vec::new() });
    // Adding what is in the cart already would be one item of two, not two items.
    if cart.items.iter().any(|(known, _)| std::ptr::eq(*known, product)) {
        return;
    }
    cart.items.push((product, quantity));
    let fields = product.fields().number("quantity", quantity).text("cart_id", &cart.id);
    scene.track("Product Added", fields);
    scene.pause(5, 60);
}

/// Ends a visit: thinks better of a product, looks at the cart, orders now, later, or not at all.
fn settle(scene: &mut Scene<'_>, mood: Mood) {
    let Some(cart) = &mut scene.customer.cart else { return };
    if cart.items.len() > 1
        && scene.customer.random.chance(120)
        && let Some((product, quantity)) = cart.items.pop()
    {
        let fields = product.fields().number("quantity", quantity).text("cart_id", &cart.id);
        scene.track("Product Removed", fields);
        scene.pause(5, 40);
    }
    if scene.chance(700) {
        look_at_cart(scene);
    }
    if decides_to_buy(scene, mood) {
        order(scene);
    } else if scene.chance(300) {
        // Comes back by oneself within some hours, without a reminder.
        scene.pause(20 * 60, 5 * 60 * 60);
        look_at_cart(scene);
        if decides_to_buy(scene, mood) {
            order(scene);
        }
    }
}

fn decides_to_buy(scene: &mut Scene<'_>, mood: Mood) -> bool {
    let per_mille = match (scene.customer.habit, mood) {
        (Habit::Devoted, Mood::Usual | Mood::Offer) => 520,
        (Habit::Regular | Habit::Lapsing, Mood::Usual) => 270,
        (Habit::Regular | Habit::Lapsing, Mood::Offer) => 380,
        (Habit::Browser, Mood::Usual | Mood::Offer) => 90,
        (Habit::BargainHunter, Mood::Usual) => 110,
        (Habit::BargainHunter, Mood::Offer) => 450,
    };
    scene.chance(per_mille)
}

fn look_at_cart(scene: &mut Scene<'_>) {
    let Some(cart) = &scene.customer.cart else { return };
    let fields = Fields::new().text("cart_id", &cart.id).list("products", lines(cart));
    scene.track("Cart Viewed", fields);
    scene.pause(10, 120);
}

/// Goes to the checkout; one in six turns back there, and the cart stays.
fn order(scene: &mut Scene<'_>) {
    let Some(cart) = scene.customer.cart.clone() else { return };
    let number = scene.customer.number + 1;
    let order_id = format!("order-{number}-{}", scene.customer.orders + 1);
    let value = cart.cents();
    let started = Fields::new()
        .text("order_id", &order_id)
        .text("cart_id", &cart.id)
        .money("value", value)
        .text("currency", "EUR");
    scene.track("Checkout Started", started);
    scene.pause(40, 400);
    if scene.chance(160) {
        return;
    }
    scene.customer.orders += 1;
    scene.customer.cart = None;
    let shipping = if value >= 10_000 { 0 } else { 590 };
    let completed = Fields::new()
        .text("order_id", &order_id)
        .text("cart_id", &cart.id)
        .money("total", value + shipping)
        .money("revenue", value)
        .money("shipping", shipping)
        .text("currency", "EUR")
        .list("products", lines(&cart));
    scene.track("Order Completed", completed);
    scene.pause(5, 60);
}

fn lines(cart: &Cart) -> impl Iterator<Item = Fields> {
    cart.items.iter().map(|(product, quantity)| product.fields().number("quantity", *quantity))
}
