//! The shop's customers: who they are, how they shop, what they remember between visits.

use crate::calendar::{Day, HOUR};
use crate::catalogue::{CATEGORIES, Product};
use crate::json::Fields;
use crate::random::Random;

const FIRST_NAMES: [&str; 40] = [
    "Ada", "Aksel", "Amina", "Anders", "Astrid", "Bjørn", "Cathrine", "Daniel", "Edda", "Eirik", "Ella",
    "Erik", "Fatima", "Freya", "Gustav", "Hanna", "Ingrid", "Jakob", "Jonas", "Kari", "Lars", "Leila", "Liv",
    "Magnus", "Maja", "Mats", "Mina", "Nora", "Olav", "Oscar", "Petra", "Ravi", "Runa", "Sara", "Sigrid",
    "Sven", "Tuva", "Ulf", "Vilde", "Yusuf",
];

/// How somebody shops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Comes often and buys often.
    Devoted,
    /// Comes every week or so and buys now and then.
    Regular,
    /// Looks around and hardly ever buys.
    Browser,
    /// Fills carts and leaves them, unless there is an offer.
    BargainHunter,
    /// Begins like a regular and then stays away.
    Lapsing,
}

/// A cart that has not been ordered yet.
#[derive(Clone, Debug)]
pub(crate) struct Cart {
    /// The id that all events of this cart and its order bear.
    pub(crate) id: String,
    /// Products and how many of each.
    pub(crate) items: Vec<(&'static Product, u64)>,
}

impl Cart {
    /// Gives the value of the cart in cents.
    pub(crate) fn cents(&self) -> u64 {
        self.items.iter().map(|(product, quantity)| product.cents() * quantity).sum()
    }
}

/// Whether messages on each channel are wanted; `None` where the customer was never asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Consent {
    pub(crate) sms: Option<bool>,
    pub(crate) email: Option<bool>,
    pub(crate) push: Option<bool>,
}

/// One customer.
#[derive(Clone, Debug)]
pub(crate) struct Customer {
    /// Position among the customers, from 0.
    pub(crate) number: u32,
    /// This customer's own random numbers: nothing others do changes them.
    pub(crate) random: Random,
    pub(crate) habit: Habit,
    pub(crate) has_app: bool,
    pub(crate) consent: Consent,
    /// Whether the shop knows who this is: set by the first visit.
    pub(crate) is_known: bool,
    /// The cart that was left, if any.
    pub(crate) cart: Option<Cart>,
    /// The end of the latest visit, in milliseconds since 1970.
    pub(crate) busy_until: i64,
    pub(crate) favourite: &'static str,
    pub(crate) carts: u32,
    pub(crate) orders: u32,
    pub(crate) messages: u32,
    joined: Day,
    lapsed: Day,
    country: Country,
    has_phone: bool,
    calls: u32,
}

#[derive(Clone, Copy, Debug)]
enum Country {
    Norway,
    Sweden,
    Britain,
}

impl Customer {
    /// Invents customer `number` of the shop with this seed, for a simulation of `days` days.
    pub(crate) fn new(seed: u64, number: u32, days: u32) -> Customer {
        let mut random = Random::new(seed, number);
        let habit = [Habit::Devoted, Habit::Regular, Habit::Browser, Habit::BargainHunter, Habit::Lapsing]
            [random.weighted(&[8, 32, 28, 14, 18])];
        let is_new = random.chance(250);
        let joined = Day(if is_new { random.below(u64::from(days)) as u32 } else { 0 });
        let lapsed = Day(joined.0 + random.between(8, 20) as u32);
        let country = [Country::Norway, Country::Sweden, Country::Britain][random.weighted(&[75, 17, 8])];
        let has_app = random.chance(300);
        let mut asked = |asked: u64, agrees: u64| random.chance(asked).then(|| random.chance(agrees));
        let consent = Consent {
            sms: asked(800, 650),
            email: asked(900, 750),
            push: if has_app { asked(850, 600) } else { None },
        };
        Customer {
            number,
            habit,
            has_app,
            consent,
            is_known: false,
            cart: None,
            busy_until: 0,
            favourite: CATEGORIES[random.weighted(&[30, 20, 15, 15, 8, 12])],
            carts: 0,
            orders: 0,
            messages: 0,
            joined,
            lapsed,
            country,
            has_phone: random.chance(880),
            calls: 0,
            random,
        }
    }

    /// Names the customer as events do.
    pub(crate) fn id(&self) -> String {
        format!("c{:05}", self.number + 1)
    }

    /// Gives the id of this customer's next call: no two calls share one.
    pub(crate) fn next_call(&mut self) -> String {
        self.calls += 1;
        format!("{}-{}", self.id(), self.calls)
    }

    /// Decides whether the customer comes to the shop on a day by their own motion.
    pub(crate) fn comes_on(&mut self, day: Day) -> bool {
        if day < self.joined {
            return false;
        }
        let per_mille = match self.habit {
            Habit::Devoted => 290,
            Habit::Regular => 92,
            Habit::Browser => 82,
            Habit::BargainHunter => 80,
            Habit::Lapsing if day < self.lapsed => 140,
            Habit::Lapsing => 3,
        };
        // Newcomers come on their first day: that is how they became customers.
        let is_first_day = day == self.joined && day > Day(0);
        is_first_day || self.random.chance(if day.is_weekend() { per_mille * 5 / 4 } else { per_mille })
    }

    /// Tells in milliseconds how far the customer's clock is ahead of UTC in winter.
    pub(crate) fn ahead_of_utc(&self) -> i64 {
        match self.country {
            Country::Norway | Country::Sweden => HOUR,
            Country::Britain => 0,
        }
    }

    /// Names the customer's time zone.
    pub(crate) fn time_zone(&self) -> &'static str {
        match self.country {
            Country::Norway => "Europe/Oslo",
            Country::Sweden => "Europe/Stockholm",
            Country::Britain => "Europe/London",
        }
    }

    /// Writes what the shop learns when the customer signs in.
    pub(crate) fn traits(&self) -> Fields {
        let name = FIRST_NAMES[self.number as usize % FIRST_NAMES.len()];
        let mut traits = Fields::new().text("first_name", name).text("email", &self.email());
        if self.has_phone {
            traits = traits.text("phone", &self.phone());
        }
        if self.has_app {
            traits = traits.text("push_token", &format!("token-{}", self.number + 1));
        }
        traits = traits.text("country", self.country_code());
        let consent = self.consent_fields();
        match consent {
            Some(consent) => traits.object("consent", consent),
            None => traits,
        }
    }

    fn consent_fields(&self) -> Option<Fields> {
        let answers = [("sms", self.consent.sms), ("email", self.consent.email), ("push", self.consent.push)];
        let mut given = answers.iter().filter_map(|(channel, answer)| Some((channel, (*answer)?))).peekable();
        given.peek()?;
        Some(given.fold(Fields::new(), |fields, (channel, answer)| fields.boolean(channel, answer)))
    }

    fn email(&self) -> String {
        format!("{}@example.com", self.id())
    }

    /// Numbers are of ranges nobody has, as far as a country sets one aside.
    fn phone(&self) -> String {
        match self.country {
            Country::Norway => format!("+4790{:06}", self.number % 1_000_000),
            Country::Sweden => format!("+4670174{:04}", 605 + self.number % 95),
            Country::Britain => format!("+447700900{:03}", self.number % 1_000),
        }
    }

    fn country_code(&self) -> &'static str {
        match self.country {
            Country::Norway => "NO",
            Country::Sweden => "SE",
            Country::Britain => "GB",
        }
    }
}
