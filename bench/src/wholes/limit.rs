//! What no run can be faster than: the lines decoded, and nothing done with them.

use serde::Deserialize;
use std::{
    borrow::Cow,
    fs,
    hint::black_box,
    io::{BufRead, BufReader},
    path::Path,
};

/// Reads a file line by line and decodes each line; gives how many there are.
pub(crate) fn decode_only(file: &Path) -> usize {
    let Ok(file) = fs::File::open(file) else { return 0 };
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let (mut line, mut count) = (Vec::new(), 0);
    while let Ok(length) = reader.read_until(b'\n', &mut line)
        && length > 0
    {
        count += usize::from(serde_json::from_slice::<Line<'_>>(&line).map(black_box).is_ok());
        line.clear();
    }
    count
}

/// A line decoded into borrowed fields: the limit.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "decoding is what is measured")]
struct Line<'a> {
    r#type: &'a str,
    message_id: &'a str,
    user_id: &'a str,
    event: Option<&'a str>,
    timestamp: &'a str,
    #[serde(borrow)]
    properties: Option<Properties<'a>>,
    #[serde(borrow)]
    traits: Option<Traits<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoding is what is measured")]
struct Properties<'a> {
    product_id: Option<&'a str>,
    category: Option<&'a str>,
    price: Option<f64>,
    cart_id: Option<&'a str>,
    order_id: Option<&'a str>,
    total: Option<f64>,
    coupon: Option<&'a str>,
    path: Option<&'a str>,
    form_id: Option<&'a str>,
    channel: Option<&'a str>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoding is what is measured")]
struct Traits<'a> {
    #[serde(borrow)]
    first_name: Option<Cow<'a, str>>,
    phone: Option<&'a str>,
    email: Option<&'a str>,
    plan: Option<&'a str>,
}
