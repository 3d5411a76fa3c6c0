//! The visits every row is measured with: the same on every machine, from a fixed seed.
//!
//! A visit has some twenty fields and 738 bytes of JSON on average, with names in the scripts visitors write theirs in.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde::Serialize;
use vestibule_core::document::Write;
use vestibule_core::id::VisitId;
use vestibule_core::visit::{Key, VisitDraft};

/// The host of every visit.
pub const HOST: &str = "ada";

const FIRST: [&str; 24] = [
    "Maria",
    "Grace",
    "José",
    "Zoë",
    "Søren",
    "Łukasz",
    "Ngọc Ánh",
    "Мария",
    "Алексей",
    "Ελένη",
    "יעל",
    "فاطمة",
    "محمد",
    "प्रिया",
    "สมชาย",
    "美咲",
    "太郎",
    "伟",
    "민수",
    "Ayşe",
    "Chloé",
    "Jürgen",
    "Ìfẹ́",
    "Marek",
];
const LAST: [&str; 24] = [
    "Keller",
    "Hopper",
    "Martínez",
    "Brontë",
    "Kierkegaard",
    "Wałęsa",
    "Nguyễn",
    "Иванова",
    "Смирнов",
    "Παπαδοπούλου",
    "כהן",
    "الزهراء",
    "بن سلمان",
    "शर्मा",
    "ใจดี",
    "山田",
    "佐藤",
    "王",
    "김",
    "Yılmaz",
    "Martin",
    "Müller",
    "Adébáyọ̀",
    "Marković",
];
const COMPANY: [&str; 12] = [
    "Acme & Söhne GmbH",
    "Contoso SA",
    "北京科技有限公司",
    "株式会社サンプル",
    "ООО «Пример»",
    "Ejemplo y Hijos S.L.",
    "삼보 주식회사",
    "شركة المثال",
    "Example Ltd",
    "Beispiel AG",
    "Παράδειγμα ΑΕ",
    "Northwind Traders",
];
const REASON: [&str; 5] =
    ["Interview", "Quarterly review", "Maintenance of the lift", "Audit 2027", "Visite de courtoisie"];
const WORDS: &str = "please bring an identity document and come to the reception on the ground floor parking is behind building \
     tram stops in front of it wireless network at desk we look forward your visit bitte klingeln Sie am Empfang und \
     warten dort auf Ihren Gastgeber der Aufzug ist rechts neben Treppe veuillez vous présenter à l’accueil avec une \
     pièce d’identité le parking visiteurs se trouve derrière bâtiment llame al timbre cuando llegue por favor piso \
     segundo sala reunión contrato laptop badge escort safety shoes helmet required lunch included vegetarian budget \
     roadmap signing prototype delivery samples interview panel whiteboard projector quarterly figures Zürich Genève \
     受付 会議室 お待ちください 请 到 前台 登记 пожалуйста подойдите к стойке אנא לפנות לקבלה कृपया स्वागत कक्ष में आएं";

/// How many characters of message there are at most, but for forty more and a word.
const LONGEST: usize = 330;

/// A visit of the data set; the fields are named as the document's are.
#[expect(clippy::struct_field_names, reason = "they are the field's words")]
#[derive(Debug, Clone, Serialize)]
pub struct Visit {
    pub id: String,
    pub number: u32,
    pub first_name: String,
    pub last_name: String,
    pub company: String,
    pub email: String,
    pub phone: String,
    pub pacs_id: String,
    pub site: &'static str,
    pub space: &'static str,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub host: &'static str,
    pub host_name: &'static str,
    pub schedule: String,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
    pub status: &'static str,
    pub reason: &'static str,
    pub message: String,
    pub source: &'static str,
    #[serde(skip)]
    pub visit: VisitId,
    #[serde(skip)]
    date: NaiveDate,
    #[serde(skip)]
    hour: u32,
}

/// A day that every schedule is counted from.
pub fn today() -> NaiveDate {
    Utc::now().date_naive()
}

impl Visit {
    /// The n-th visit: of five, one is upcoming or pending, the others are past.
    pub fn of_list(n: u64, today: NaiveDate) -> Self {
        let status = match n % 20 {
            0..=2 => "upcoming",
            3 => "pending",
            4 => "cancelled",
            _ => "departed",
        };
        let days = 2 + n / 20 % 300;
        let ahead = matches!(status, "upcoming" | "pending");
        let date = if ahead { today + Days::new(days) } else { today - Days::new(days) };
        Self::on(n, date, status)
    }

    /// The n-th visit as one that is invited now.
    pub fn to_invite(n: u64, today: NaiveDate) -> Self {
        Self::on(n, today + Days::new(2 + n % 300), "queued")
    }

    fn on(n: u64, date: NaiveDate, status: &'static str) -> Self {
        let mut seed = [0x5e; 32];
        seed[..8].copy_from_slice(&n.to_le_bytes());
        let mut rng = ChaCha20Rng::from_seed(seed);
        let mut below = |bound: usize| usize::try_from(rng.next_u32()).unwrap_or(0) % bound;
        let (first, last, company) = (FIRST[below(24)], LAST[below(24)], COMPANY[below(12)]);
        let hour = 8 + u32::try_from(below(8)).unwrap_or(0);
        let (reason, length) = (REASON[below(5)], 40 + below(LONGEST));
        let serial = below(1_000_000);
        let phone = below(1_000_000_000);
        let mailbox: String = (0..10).map(|_| char::from(b"abcdefghijklmnopqrstuvwxyz"[below(26)])).collect();
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        let mut message = String::new();
        while message.chars().count() < length {
            message.push_str(words[below(words.len())]);
            message.push(' ');
        }
        let mut random = [0; 10];
        rng.fill_bytes(&mut random);
        let visit = VisitId::from_parts(1_790_000_000_000 + n * 1_000, random);
        // The clocks of Zürich, near enough: nothing here is measured by the hour.
        let at = |hour| date.and_time(NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour of the day")).and_utc();
        Self {
            id: visit.to_string(),
            number: u32::try_from(n + 1).unwrap_or(u32::MAX),
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            company: company.to_owned(),
            email: format!("{mailbox}@example.com"),
            phone: format!("+41 {:02} {:03} {:04}", phone / 10_000_000, phone / 10_000 % 1000, phone % 10_000),
            pacs_id: format!("P-{serial:06}"),
            site: "zrh",
            space: "zrh-room-1",
            kind: "contractor",
            host: HOST,
            host_name: "Ada Keller",
            schedule: format!("{date}T{hour:02}:00/{date}T{:02}:00", hour + 1),
            start: at(hour),
            end: at(hour + 1),
            status,
            reason,
            message: message.trim_end().to_owned(),
            source: "phone",
            visit,
            date,
            hour,
        }
    }

    /// The form as a host fills it.
    pub fn draft(&self) -> VisitDraft {
        let text = |text: &str| Some(text.to_owned());
        VisitDraft {
            first_name: text(&self.first_name),
            last_name: text(&self.last_name),
            email: text(&self.email),
            company: text(&self.company),
            phone: text(&self.phone),
            pacs_id: text(&self.pacs_id),
            site: text(self.site),
            space: text(self.space),
            visitor_type: text(self.kind),
            host: text(self.host),
            date: Some(self.date.to_string()),
            start: Some(format!("{:02}:00", self.hour)),
            end: Some(format!("{:02}:00", self.hour + 1)),
            reason: text(self.reason),
            message: text(&self.message),
            ..VisitDraft::default()
        }
    }

    /// The first change's values.
    pub fn writes(&self) -> Vec<Write> {
        [
            (Key::FirstName, self.first_name.as_str()),
            (Key::LastName, &self.last_name),
            (Key::Company, &self.company),
            (Key::Email, &self.email),
            (Key::Phone, &self.phone),
            (Key::PacsId, &self.pacs_id),
            (Key::Site, self.site),
            (Key::Space, self.space),
            (Key::Type, self.kind),
            (Key::Host, self.host),
            (Key::Schedule, &self.schedule),
            (Key::Message, &self.message),
            (Key::Reason, self.reason),
            (Key::Source, self.source),
        ]
        .map(|(key, text)| Write::set(key, text))
        .to_vec()
    }

    /// The visit as JSON: what other stores keep and send.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("text and numbers are JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_has_twenty_fields_and_738_bytes_of_json() {
        let visits = (0..2_000).map(|n| Visit::of_list(n, NaiveDate::from_ymd_opt(2027, 2, 10).expect("a day")).json());
        let sizes: Vec<usize> = visits.map(|json| json.len()).collect();
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!((735..=741).contains(&mean), "{mean}");
    }

    /// No more alike than visits are: in batches of a thousand, zstd leaves 143 bytes of each.
    #[test]
    fn a_batch_of_visits_packs_to_143_bytes_each() {
        let day = NaiveDate::from_ymd_opt(2027, 2, 10).expect("a day");
        let batch: Vec<String> = (0..1_000).map(|n| Visit::to_invite(n, day).json()).collect();
        let packed = zstd::bulk::compress(batch.join(",").as_bytes(), 3).expect("compresses").len() / 1_000;
        assert!((135..=151).contains(&packed), "{packed}");
    }
}
