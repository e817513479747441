//! Where people and numbers are: what numbers look like there, when it is day, and what an SMS costs. The prices are made up,
//! and of the order of what carriers list: a cent in North America, some cents in Western Europe, 10 to 45 cents where
//! traffic is pumped. Nothing here is a statement about a country.

use super::dice::Dice;

/// A country.
#[derive(Debug)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: &'static str,
    /// What its mobile numbers look like: `x` is any digit, `n` one from 2 to 8.
    numbers: &'static [&'static str],
    /// Hours ahead of UTC.
    pub ahead: i64,
    /// The price of one SMS, in millionths of a dollar.
    pub price: i64,
}

const fn country(code: &'static str, numbers: &'static [&'static str], ahead: i64, price: i64) -> Country {
    Country { code, numbers, ahead, price }
}

/// Every country that messages go to here.
pub const COUNTRIES: &[Country] = &[
    country(
        "US",
        &["+1415nx8xxxx", "+1212nx6xxxx", "+1312nx4xxxx", "+1512nx3xxxx", "+1617nx8xxxx", "+1702nx4xxxx"],
        -6,
        8_300,
    ),
    country("GB", &["+4474xxxxxxxx", "+44771xxxxxxx", "+44788xxxxxxx"], 0, 52_000),
    country("DE", &["+49151xxxxxxxx", "+49170xxxxxxx", "+49176xxxxxxxx"], 1, 108_000),
    country("FR", &["+3361xxxxxxx", "+3362xxxxxxx", "+3366xxxxxxx"], 1, 80_000),
    country("ES", &["+346xxxxxxxx"], 1, 78_000),
    country("BR", &["+551196nxxxxxx", "+552198nxxxxxx"], -3, 60_000),
    country("IN", &["+9198xxxxxxxx", "+9199xxxxxxxx"], 5, 83_000),
    country("CA", &["+1416nx6xxxx", "+1604nx8xxxx"], -5, 8_300),
    country("AU", &["+61412xxxxxx", "+61404xxxxxx", "+61432xxxxxx"], 10, 52_000),
    country("MX", &["+5255nxxxxxxx", "+5233nxxxxxxx"], -6, 68_000),
    country("NL", &["+3161xxxxxxx", "+3162xxxxxxx"], 1, 109_000),
    country("PL", &["+4851xxxxxxx", "+4860xxxxxxx"], 1, 46_000),
    // Where pumped traffic goes.
    country("UZ", &["+99890xxxxxxx", "+99891xxxxxxx"], 5, 348_000),
    country("TJ", &["+99291nxxxxxx"], 5, 442_000),
    country("AZ", &["+99440nxxxxxx", "+99450nxxxxxx"], 4, 384_000),
    country("KG", &["+99670xxxxxxx"], 6, 263_000),
    country("LK", &["+9471xxxxxxx"], 5, 278_000),
    country("BD", &["+88018xxxxxxxx"], 6, 321_000),
    country("PK", &["+92301nxxxxxx"], 5, 354_000),
    country("NG", &["+23480nxxxxxxx"], 1, 353_000),
    country("GH", &["+23324nxxxxxx"], 0, 310_000),
    country("TN", &["+21620nxxxxx"], 1, 290_000),
    country("DZ", &["+21355nxxxxxx"], 1, 332_000),
    country("MA", &["+21265nxxxxxx"], 1, 120_000),
    country("EG", &["+20100nxxxxxx"], 2, 296_000),
    country("IQ", &["+964791nxxxxxx"], 3, 317_000),
    country("JO", &["+96279nxxxxxx"], 3, 264_000),
    country("KH", &["+85591nxxxxx"], 7, 248_000),
    country("MM", &["+95921xxxxx", "+95979nxxxxxx"], 6, 274_000),
    country("NP", &["+977984nxxxxxx"], 5, 243_000),
    country("VN", &["+8491nxxxxxx"], 7, 132_000),
    country("MY", &["+6012nxxxxxx"], 8, 176_000),
    country("KZ", &["+77710nxxxxx"], 5, 210_000),
    country("GE", &["+995555nxxxxx"], 4, 166_000),
    country("AM", &["+37477nxxxxx"], 4, 189_000),
    country("BY", &["+37529nxxxxxx"], 3, 258_000),
    country("UA", &["+38050nxxxxxx"], 2, 127_000),
    country("RS", &["+38160nxxxxx"], 1, 318_000),
    country("AL", &["+35567nxxxxxx"], 1, 153_000),
    country("SN", &["+22170nxxxxxx"], 0, 194_000),
    country("ML", &["+22365nxxxxx"], 0, 241_000),
    country("BF", &["+22670nxxxxx"], 0, 165_000),
    country("CM", &["+23767nxxxxxx"], 1, 158_000),
    country("UG", &["+25671nxxxxxx"], 3, 233_000),
    country("TZ", &["+25562nxxxxxx"], 3, 270_000),
    country("ZM", &["+26095nxxxxxx"], 2, 296_000),
    country("ZW", &["+26371nxxxxxx"], 2, 132_000),
    country("MZ", &["+25882nxxxxxx"], 2, 147_000),
    country("MG", &["+26132nxxxxxx"], 3, 353_000),
    country("BO", &["+5917nxxxxxx"], -4, 205_000),
    country("EC", &["+59399nxxxxxx"], -5, 196_000),
    country("PH", &["+63905nxxxxxx"], 8, 217_000),
];

/// The countries that honest people are in, and how many in a hundred of them.
pub const HONEST: &[(&str, u64)] = &[
    ("US", 27),
    ("GB", 16),
    ("DE", 12),
    ("FR", 9),
    ("IN", 8),
    ("BR", 7),
    ("ES", 6),
    ("CA", 5),
    ("AU", 3),
    ("MX", 3),
    ("NL", 2),
    ("PL", 2),
];

/// A country by its code.
pub fn place(code: &str) -> usize {
    COUNTRIES.iter().position(|country| country.code == code).unwrap_or_else(|| panic!("no country {code}"))
}

/// The countries where pumped traffic goes.
pub fn pumped() -> Vec<usize> {
    (HONEST.len()..COUNTRIES.len()).collect()
}

impl Country {
    /// Some mobile number.
    pub fn number(&self, dice: &mut Dice) -> String {
        fill(self.numbers[dice.index(self.numbers.len())], dice)
    }

    /// Some number of one of so many prefixes.
    pub fn dense(&self, prefixes: u64, dice: &mut Dice) -> String {
        let prefix = self.prefix(&mut Dice::new(dice.below(prefixes), self.code));
        format!("{prefix}{:04}", dice.below(10_000))
    }

    /// Ten thousand numbers in a row: what they begin with.
    pub fn prefix(&self, dice: &mut Dice) -> String {
        let number = self.number(dice);
        number[..number.len() - 4].to_owned()
    }
}

fn fill(pattern: &str, dice: &mut Dice) -> String {
    let digit = |of: u64| char::from_digit(u32::try_from(of).unwrap(), 10).unwrap();
    pattern
        .chars()
        .map(|place| match place {
            'x' => digit(dice.below(10)),
            'n' => digit(dice.between(2, 8)),
            place => place,
        })
        .collect()
}
