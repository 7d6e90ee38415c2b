//! The campaigns that the shop has sent so far, and what people did with them.

use crate::calendar::{Day, HOUR, MINUTE};
use crate::customer::Customer;
use crate::json::Fields;
use crate::scene::{Arrival, Scene};
use crate::visits::{self, Mood};

/// A newsletter goes out on Tuesdays, text messages on every other Friday, push on Sundays.
pub(crate) fn send(customer: &mut Customer, day: Day, end: i64, out: &mut Vec<Arrival>) {
    if !customer.is_known {
        return;
    }
    let week = day.0 / 7 + 1;
    let consent = customer.consent;
    match day.0 % 7 {
        1 if consent.email == Some(true) => email(customer, day, week, end, out),
        4 if consent.sms == Some(true) && week.is_multiple_of(2) => sms(customer, day, week, end, out),
        6 if consent.push == Some(true) => push(customer, day, week, end, out),
        _ => {}
    }
}

/// Opens the scene of a message at its hour of the customer's day, give or take the length of the sending.
fn scene<'a>(
    customer: &'a mut Customer,
    day: Day,
    hour: i64,
    end: i64,
    out: &'a mut Vec<Arrival>,
) -> Scene<'a> {
    let spread = customer.random.between(0, 20 * MINUTE);
    let start = day.start() + hour * HOUR + spread - customer.ahead_of_utc();
    customer.messages += 1;
    Scene::new(customer, start, end, out)
}

fn fields(customer: &Customer, channel: &str, campaign: &str) -> Fields {
    let message = format!("msg-{}-{}", customer.number + 1, customer.messages);
    Fields::new()
        .text("channel", channel)
        .text("message", &message)
        .text("campaign", campaign)
        .text("topic", "marketing")
}

fn email(customer: &mut Customer, day: Day, week: u32, end: i64, out: &mut Vec<Arrival>) {
    let mut scene = scene(customer, day, 10, end, out);
    let fields = fields(scene.customer, "email", &format!("newsletter_{week}"));
    scene.track("Message Sent", fields.clone());
    scene.pause(1, 20);
    if scene.chance(12) {
        let kind = if scene.chance(400) { "hard" } else { "soft" };
        scene.track("Message Bounced", fields.text("type", kind));
        if kind == "hard" {
            scene.customer.consent.email = Some(false);
        }
        return;
    }
    scene.track("Message Delivered", fields.clone());
    if !scene.chance(380) {
        return;
    }
    scene.pause(60, 16 * 60 * 60);
    scene.track("Message Opened", fields.clone());
    scene.pause(4, 90);
    if scene.chance(12) {
        let unsubscribed = Fields::new().text("channel", "email").text("topic", "marketing");
        scene.track("Unsubscribed", unsubscribed);
        scene.customer.consent.email = Some(false);
    } else if scene.chance(260) {
        click(&mut scene, fields);
        let start = scene.now;
        visits::visit(customer, start, Mood::Offer, end, out);
    }
}

fn sms(customer: &mut Customer, day: Day, week: u32, end: i64, out: &mut Vec<Arrival>) {
    let mut scene = scene(customer, day, 16, end, out);
    let fields = fields(scene.customer, "sms", &format!("weekend_offer_{week}"));
    scene.track("Message Sent", fields.clone());
    scene.pause(1, 15);
    scene.track("Message Delivered", fields.clone());
    match scene.customer.random.weighted(&[840, 110, 35, 15]) {
        1 => {
            scene.pause(30, 3 * 60 * 60);
            click(&mut scene, fields);
            let start = scene.now;
            visits::visit(customer, start, Mood::Offer, end, out);
        }
        2 => {
            scene.pause(30, 2 * 60 * 60);
            let text = *scene.customer.random.pick(&["Yes", "YES please", "Is it valid in the store?", "no"]);
            scene.track("Message Replied", fields.text("text", text));
        }
        3 => {
            scene.pause(20, 30 * 60);
            scene.track("Message Replied", fields.text("text", "STOP"));
            scene.customer.consent.sms = Some(false);
        }
        _ => {}
    }
}

fn push(customer: &mut Customer, day: Day, week: u32, end: i64, out: &mut Vec<Arrival>) {
    let mut scene = scene(customer, day, 18, end, out);
    let fields = fields(scene.customer, "push", &format!("sunday_{week}"));
    scene.track("Message Sent", fields.clone());
    scene.pause(1, 5);
    scene.track("Message Delivered", fields.clone());
    if scene.chance(150) {
        scene.pause(20, 2 * 60 * 60);
        scene.track("Message Opened", fields);
        scene.pause(1, 5);
        let start = scene.now;
        visits::visit(customer, start, Mood::Offer, end, out);
    }
}

fn click(scene: &mut Scene<'_>, fields: Fields) {
    scene.track("Message Clicked", fields.text("link", "shop_now"));
    scene.pause(1, 10);
}
