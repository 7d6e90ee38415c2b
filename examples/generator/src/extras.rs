//! What else people do in the shop: promotions, forms, features of the app, a quiz.

use crate::json::Fields;
use crate::scene::Scene;

const FORMS: [&str; 4] = ["newsletter", "contact", "size_advice", "returns"];
const FEATURES: [&str; 5] = ["wishlist", "store_finder", "barcode_scan", "order_tracking", "size_guide"];
const QUIZZES: [&str; 2] = ["find_your_boots", "winter_ready"];

/// Adds to a visit what some visits have besides shopping.
pub(crate) fn around_a_visit(scene: &mut Scene<'_>) {
    if scene.chance(140) {
        promotion(scene);
    }
    if scene.chance(70) {
        form(scene);
    }
    if scene.customer.has_app {
        features(scene);
    }
    if scene.chance(25) {
        quiz(scene);
    }
}

fn promotion(scene: &mut Scene<'_>) {
    let week = scene.customer.random.between(1, 3);
    let fields = Fields::new()
        .text("promotion_id", &format!("banner_{week}"))
        .text("name", "Winter sale")
        .text("creative", "top_banner");
    scene.track("Promotion Viewed", fields.clone());
    scene.pause(2, 30);
    if scene.chance(220) {
        scene.track("Promotion Clicked", fields);
        scene.pause(3, 40);
    }
}

fn form(scene: &mut Scene<'_>) {
    let form = *scene.customer.random.pick(&FORMS);
    let fields = Fields::new().text("form_id", form);
    scene.track("Form Started", fields.clone());
    scene.pause(30, 400);
    if scene.chance(580) {
        scene.track("Form Submitted", fields);
        scene.pause(5, 30);
    }
}

fn features(scene: &mut Scene<'_>) {
    for _ in 0..scene.customer.random.weighted(&[50, 30, 20]) {
        let feature = *scene.customer.random.pick(&FEATURES);
        scene.track("Feature Used", Fields::new().text("feature", feature));
        scene.pause(5, 90);
    }
}

fn quiz(scene: &mut Scene<'_>) {
    let quiz = *scene.customer.random.pick(&QUIZZES);
    scene.pause(60, 300);
    let score = scene.customer.random.below(11);
    let fields = Fields::new().text("quiz", quiz).number("score", score).boolean("passed", score >= 6);
    scene.track("Quiz Finished", fields);
    scene.pause(5, 60);
}
