//! Official records and files of them: round trips, genuine values, and damage of every kind.

#[path = "invariants/records.rs"]
mod invariants;

use std::io::Write;
use std::path::{Path, PathBuf};

use invariants::{check, check_file, check_record, file, written};
use nb101_core::parallel::Unwatched;
use nb101_core::release::tfrecord::frame;
use nb101_core::release::{self, Floats, METRICS, Options, Record, space};
use nb101_core::space::representative;
use nb101_core::{Cell, Error, cell, hash, limits};
use proptest::prelude::*;
use proptest::sample::Index;

fn without_files() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

fn cell_of(id: u64) -> Cell {
    let mut cells = [Cell::LEAST];
    space().cells(&[id], &mut cells, &Unwatched).unwrap();
    cells[0]
}

fn encoded(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::new();
    record.encode(&mut bytes);
    bytes
}

fn framed<B: AsRef<[u8]>>(records: &[B]) -> Vec<u8> {
    let mut bytes = Vec::new();
    records.iter().for_each(|record| frame(record.as_ref(), &mut bytes));
    bytes
}

/// The parameters follow from the cell, so that no two records contradict each other.
fn record_of(id: u64, epochs: i16, metrics: [f64; 15], total_time: f64) -> Record {
    let cell = cell_of(id);
    let digest = hash::hash_cell_plainly(cell);
    let trainable_parameters = 1 + (id as i32) * 3;
    Record { digest, epochs, cell, metrics, trainable_parameters, total_time }
}

fn records() -> impl Strategy<Value = Record> {
    let single = (0f32..=1.0).prop_map(f64::from);
    // Any exponent, so that most are no single ones.
    let tiny = any::<f64>().prop_map(|x| f64::from_bits(x.to_bits() % 1f64.to_bits()));
    let exact = prop_oneof![Just(0.0), Just(-0.0), Just(1.0)];
    let number = prop_oneof![4 => single, 1 => tiny, 1 => 0f64..=1.0, 2 => exact];
    let scaled = |v: Vec<f64>| {
        let most = [32_767.0, 1e9, 1.0, 1.0, 1.0];
        std::array::from_fn(|i| v[i] * if v[i] < 0.9 { 1.0 } else { most[i % 5] })
    };
    let metrics = prop::collection::vec(number, 15).prop_map(scaled);
    let time = prop_oneof![0f64..=1e9, Just(0.0), Just(1e9), Just(1e-300)];
    let epochs = prop_oneof![3 => Just(108i16), 1 => 1..=i16::MAX];
    (0..space().size() as u64, epochs, metrics, time)
        .prop_map(|(id, epochs, metrics, time)| record_of(id, epochs, metrics, time))
}

#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 0u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        at().prop_map(Damage::Remove),
        at().prop_map(Damage::Cut),
    ]
}

impl Damage {
    /// Does it, and says where.
    fn apply(&self, bytes: &mut Vec<u8>) -> usize {
        let (Self::Flip(at, _)
        | Self::Set(at, _)
        | Self::Insert(at, _)
        | Self::Remove(at)
        | Self::Cut(at)) = self;
        let at = at.index(bytes.len());
        match *self {
            Self::Flip(_, bit) => bytes[at] ^= 1 << bit,
            Self::Set(_, byte) => bytes[at] = byte,
            Self::Insert(_, byte) => bytes.insert(at, byte),
            Self::Remove(_) => drop(bytes.remove(at)),
            Self::Cut(_) => bytes.truncate(at),
        }
        at
    }
}

proptest! {
    #![proptest_config(without_files())]

    #[test]
    fn records_come_back(record in records()) {
        let bytes = encoded(&record);
        let again = Record::decode(&bytes).unwrap();
        prop_assert_eq!(again, record);
        prop_assert_eq!(again.metrics.map(f64::to_bits), record.metrics.map(f64::to_bits));
        prop_assert_eq!(encoded(&again), bytes.clone());
        check(&bytes);
    }

    /// Damage under good checksums: refused, or read as the plain reader reads it and kept.
    #[test]
    fn damaged_records_are_refused_or_hold(
        record in records(),
        damage in prop::collection::vec(damage(), 1..3),
    ) {
        let mut bytes = encoded(&record);
        damage.iter().filter(|_| true).for_each(|damage| if !bytes.is_empty() {
            damage.apply(&mut bytes);
        });
        check(&bytes);
    }

    #[test]
    fn damaged_metrics_are_refused_or_hold(record in records(), damage in damage()) {
        let text = String::from_utf8(encoded(&record)).unwrap();
        let start = text.rfind('"').unwrap();
        let start = text[..start].rfind('"').unwrap() + 1;
        let lines = text[start..text.len() - 2].replace("\\n", "");
        let mut message = base64_simd::STANDARD.decode_to_vec(lines).unwrap();
        damage.apply(&mut message);
        let metrics = base64_simd::STANDARD.encode_to_string(message);
        check(format!("{}{metrics}\\n\"]", &text[..start]).as_bytes());
    }

    #[test]
    fn arbitrary_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes);
    }

    #[test]
    fn damage_to_a_file_is_found_where_it_is(
        records in prop::collection::vec(records(), 1..6),
        damage in damage(),
    ) {
        let encoded: Vec<Vec<u8>> = records.iter().map(encoded).collect();
        let good = framed(&encoded);
        let mut starts = vec![0];
        starts.extend(encoded.iter().scan(0, |end, record| {
            *end += record.len() + 16;
            Some(*end)
        }));
        let mut bytes = good.clone();
        let at = damage.apply(&mut bytes);
        check_file(&bytes);
        let hit = starts.partition_point(|&start| start <= at) - 1;
        match file(&bytes, Options::default()) {
            Ok((table, _)) => {
                // Nothing has changed, or whole records are gone: that is a smaller file.
                prop_assert!(bytes == good || starts.contains(&bytes.len()));
                prop_assert_eq!(written(&table), bytes);
            }
            Err(Error::InRecord { record, offset, .. }) => {
                // A byte put in or taken out may look like its neighbour: the fault shows later.
                let exact = matches!(damage, Damage::Flip(..) | Damage::Set(..) | Damage::Cut(_));
                prop_assert!(record as usize == hit || !exact && record as usize > hit);
                prop_assert_eq!(offset as usize, starts[record as usize]);
            }
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn files_come_back_byte_for_byte(
        records in prop::collection::vec(records(), 1..40),
        spellings in prop::collection::vec(0usize..8, 40),
        repeats in 1usize..4,
    ) {
        let mut encoded: Vec<Vec<u8>> = records.iter().zip(spellings)
            .map(|(record, spelling)| spelled(record, spelling)).collect();
        let once = encoded.clone();
        (1..repeats).for_each(|_| encoded.extend(once.iter().cloned()));
        let bytes = framed(&encoded);
        let (table, problems) = file(&bytes, Options::default()).unwrap();
        prop_assert!(problems.is_empty());
        prop_assert_eq!(written(&table), bytes);
        let keys: Vec<_> = (0..table.len())
            .map(|i| (table.epochs[i], table.cell_id[i], table.repeat[i])).collect();
        prop_assert!(keys.is_sorted_by(|a, b| a < b));
        for (row, raw) in &table.raw {
            prop_assert_eq!(raw, &encoded[table.record[*row] as usize]);
        }
        for (i, column) in table.metrics.iter().enumerate() {
            let single = records.iter().all(|r| f64::from(r.metrics[i] as f32) == r.metrics[i]);
            prop_assert_eq!(single, matches!(column, Floats::Single(_)));
        }
    }
}

/// A record, mostly as genuine ones are spelled.
fn spelled(record: &Record, spelling: usize) -> Vec<u8> {
    let text = String::from_utf8(encoded(record)).unwrap();
    match spelling {
        0 => text.replace(", ", ","),
        1 => text.replace("\\n", ""),
        2 => text.replace("input", "\\u0069nput"),
        _ => text,
    }
    .into_bytes()
}

fn test_data() -> Option<PathBuf> {
    let given = std::env::var_os("NB101_TEST_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let found = given.unwrap_or(beside).join("nasbench101/records_26.json");
    if !found.exists() {
        eprintln!("skipped: neither $NB101_TEST_DATA nor ../shared/data has genuine records");
        return None;
    }
    Some(found)
}

#[test]
fn genuine_records_come_back() {
    let Some(path) = test_data() else { return };
    let cells: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (mut bytes, mut count) = (Vec::new(), 0);
    for given in cells.as_array().unwrap() {
        let matrix: Vec<i64> = given["module_adjacency"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|row| row.as_array().unwrap().iter().map(|entry| entry.as_i64().unwrap()))
            .collect();
        let ops: Vec<i64> = given["module_operations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|op| match op.as_str().unwrap() {
                "input" => limits::INPUT,
                "output" => limits::OUTPUT,
                name => release::OPS.iter().position(|&op| op == name).unwrap() as i64,
            })
            .collect();
        let cell::Module::Packed(cell) = cell::parse(&matrix, &ops).unwrap() else { panic!() };
        for run in given["computed"]["108"].as_array().unwrap() {
            let metrics: Vec<f64> = METRICS
                .iter()
                .map(|name| run.get(name).map_or(0.0, |number| number.as_f64().unwrap()))
                .collect();
            let record = Record {
                digest: hash::from_hex(given["hash"].as_str().unwrap().as_bytes()).unwrap(),
                epochs: 108,
                cell,
                metrics: metrics.try_into().unwrap(),
                trainable_parameters: given["trainable_parameters"].as_i64().unwrap() as i32,
                total_time: 1.0 / 3.0,
            };
            check(&encoded(&record));
            frame(&encoded(&record), &mut bytes);
            count += 1;
        }
    }
    let (table, problems) = file(&bytes, Options::default()).unwrap();
    assert_eq!((table.len(), problems.len(), table.raw.len()), (count, 0, 0));
    assert!(table.metrics.iter().all(|column| matches!(column, Floats::Single(_))));
    assert_eq!(written(&table), bytes);
}

/// As Python's json, base64 and protobuf write it.
const GENUINE: &str = "[\"00005c142e6f48ac74fdcf73e3439874\", 108, \"01001100010000000100100000100000010000000100\
    00000\", \"input,conv3x3-bn-relu,maxpool3x3,conv3x3-bn-relu,conv3x3-bn-relu,conv1x1-bn-rel\
    u,output\", \"Ci0JAAAAAAAAAAARAAAAAAAAAAAZAAAAQBqkuT8hAAAAIHZiuT8pAAAAYL7luT8KLQkAAAAAAABL\
    \\nQBEAAAAAAKKLQBkAAABAGqTpPyEAAAAAAADpPykAAACAy/foPwotCQAAAAAAAFtAEQAAAACDpJtA\\nGQAAAAAA\
    APA/IQAAACDfku0/KQAAAKBBeu0/EIqYigQZVVVVVVXQg0A=\\n\"]";

#[test]
fn bytes_are_those_that_python_writes() {
    let record = Record::decode(GENUINE.as_bytes()).unwrap();
    assert_eq!(hash::hex(record.digest), "00005c142e6f48ac74fdcf73e3439874");
    assert_eq!(record.trainable_parameters, 8_555_530);
    assert_eq!(
        record.metrics[11..],
        [1769.1279296875, 1.0, 0.9241786599159241, 0.9211738705635071]
    );
    assert_eq!(record.cell, representative(record.cell));
    assert_eq!(String::from_utf8(encoded(&record)).unwrap(), GENUINE);
    check(GENUINE.as_bytes());
}

/// Every byte of a genuine record in every way.
#[test]
fn any_other_byte_is_refused_or_holds() {
    for at in 0..GENUINE.len() {
        for byte in 0..=255 {
            let mut bytes = GENUINE.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = check_record(&bytes);
        }
    }
}

#[test]
fn every_fault_of_a_record_is_named() {
    let wrong = |from: &str, to: &str| {
        let bytes = GENUINE.replacen(from, to, 1);
        assert_ne!(bytes, GENUINE);
        check(bytes.as_bytes());
        Record::decode(bytes.as_bytes()).unwrap_err().to_string()
    };
    let expect = |error: String, part: &str| assert!(error.contains(part), "{error}: not {part}");
    expect(wrong("[", ""), "as JSON");
    expect(wrong("]", ", 1]"), "as JSON");
    expect(wrong("108", "108.0"), "as JSON");
    expect(wrong("108", "true"), "as JSON");
    expect(wrong("108", "0"), "0 epochs");
    expect(wrong("108", "32768"), "32768 epochs");
    expect(wrong("00005c", "00005C"), "hash \"00005C");
    expect(wrong("00005c", "00005"), "32 lower-case hexadecimal digits");
    expect(wrong("0100110", "0200110"), "character 1 of the adjacency is '2'");
    expect(wrong("0100110", "010011"), "48 characters: 7 operations need 49");
    expect(wrong("0100110", "1100110"), "upper triangular: entry (0, 0)");
    expect(wrong("0100110", "0000000"), "disconnected");
    expect(wrong("0100110001", "0111111001"), "too many edges: 12");
    expect(wrong("input,", "conv,"), "unknown operation \"conv\" at vertex 0");
    expect(wrong("input,", "maxpool3x3,"), "first op must be 'input'");
    expect(wrong(",output", ",maxpool3x3"), "last op must be 'output'");
    expect(wrong("conv1x1-bn-relu", "input"), "vertex 5 cannot be 'input'");
    expect(wrong("maxpool3x3", &"x".repeat(99)), "xxx...\" at vertex 2");
    expect(wrong("\\n", " "), "not base64");
    expect(wrong("\\n\"", "A\\n\""), "not base64");
}

/// Messages are short and have no control characters, whatever a record holds.
#[test]
fn messages_are_one_short_line() {
    let long = "\\u001b[31m\\n\\u202e".repeat(100_000);
    let good: [&str; 5] = ["\"00\"", "4", "\"0\"", "\"input\"", "\"\""];
    for i in 0..5 {
        let mut parts = good.map(str::to_owned);
        parts[i] = format!("\"{long}\"");
        for text in [format!("[{}]", parts.join(", ")), parts[i].clone()] {
            let message = Record::decode(text.as_bytes()).unwrap_err().to_string();
            assert!(message.len() < 400 && !message.chars().any(char::is_control), "{message}");
        }
    }
}

#[test]
fn every_fault_of_the_metrics_is_named() {
    let good = Record::decode(GENUINE.as_bytes()).unwrap();
    let error = |change: &dyn Fn(&mut Record)| {
        let mut record = good;
        change(&mut record);
        check(&encoded(&record));
        Record::decode(&encoded(&record)).unwrap_err().to_string()
    };
    assert_eq!(
        error(&|r| r.metrics[7] = f64::NAN),
        "halfway_train_accuracy is NaN: it must be finite"
    );
    assert_eq!(error(&|r| r.total_time = f64::INFINITY), "total_time is inf: it must be finite");
    for (field, most) in METRICS.iter().zip([32_767.0, 1e9, 1.0, 1.0, 1.0].iter().cycle()) {
        let i = METRICS.iter().position(|name| name == field).unwrap();
        for wrong in [-1e-300, most * 1.000_001, 1e308, f64::MIN, f64::NEG_INFINITY] {
            let message = error(&|r| r.metrics[i] = wrong);
            let must =
                if wrong.is_finite() { format!("from 0 to {most}") } else { "finite".into() };
            assert!(
                message.starts_with(&format!("{field} is {wrong:?}: it must be ")),
                "{message}"
            );
            assert!(message.ends_with(&must), "{message}");
        }
        for right in [0.0, -0.0, *most, most / 3.0] {
            let mut record = good;
            record.metrics[i] = right;
            check(&encoded(&record));
            assert_eq!(Record::decode(&encoded(&record)), Ok(record));
        }
    }
    let message = "total_time is -0.5: it must be from 0 to 1000000000";
    assert_eq!(error(&|r| r.total_time = -0.5), message);
    assert!(error(&|r| r.total_time = 1e308).contains("total_time is 1e308: it must be from 0"));
    assert!(error(&|r| r.trainable_parameters = -1).contains("must be positive"));
    assert!(error(&|r| r.trainable_parameters = 0).contains("must be positive"));
    let (start, end) = (GENUINE.rfind(", \"").unwrap() + 3, GENUINE.len() - 2);
    let with = |message: &[u8]| {
        let base64 = base64_simd::STANDARD.encode_to_string(message);
        let text = format!("{}{base64}{}", &GENUINE[..start], &GENUINE[end..]);
        check(text.as_bytes());
        Record::decode(text.as_bytes())
    };
    let message =
        base64_simd::STANDARD.decode_to_vec(GENUINE[start..end].replace("\\n", "")).unwrap();
    let evaluation = 2 + 5 * 9;
    assert_eq!(with(&message), Ok(good));
    assert_eq!(with(&[]), Err(Error::Evaluations { found: 0 }));
    assert_eq!(with(&message[evaluation..]), Err(Error::Evaluations { found: 2 }));
    let missing = |field| Err(Error::Missing { field });
    assert_eq!(with(&message[..message.len() - 9]), missing("total_time"));
    let end = message.len() - 9;
    let without = [&message[..3 * evaluation], &message[end..]].concat();
    assert_eq!(with(&without), missing("trainable_parameters"));
    let mut short = message.clone();
    short[1] -= 9;
    short.drain(evaluation - 9..evaluation);
    assert_eq!(with(&short), missing("start_test_accuracy"));
    assert!(matches!(with(&message[..end + 3]), Err(Error::NotProtobuf { .. })));
    // A field that is not read, such as checkpoint_path, is no fault: the bytes are kept.
    let mut more = message.clone();
    more[1] += 3;
    more.splice(evaluation..evaluation, [0x32, 1, b'x']);
    assert_eq!(with(&more), Ok(good));
}

#[test]
fn records_of_one_cell_must_agree() {
    let a = record_of(7, 108, [0.5; 15], 1.0);
    let b = Record { trainable_parameters: 5, ..a };
    let wrong_hash = Record { digest: [1; 16], ..a };
    let bytes = framed(&[encoded(&a), encoded(&b), encoded(&a), encoded(&wrong_hash)]);
    let length = (encoded(&a).len() + 16) as u64;
    let error = file(&bytes, Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "record 1 at byte {length}: contradicts another record of cell 7: \
             trainable_parameters is 5, not 22"
        )
    );
    let keep_going = Options { keep_going: true, ..Options::default() };
    let (table, problems) = file(&bytes, keep_going).unwrap();
    assert_eq!((table.record.as_slice(), table.repeat.as_slice()), (&[0, 2][..], &[0i8, 1][..]));
    assert!(matches!(problems[1].error, Error::WrongHash { .. }));
    let (table, problems) = file(&bytes, Options { verify_hashes: false, ..keep_going }).unwrap();
    assert_eq!((table.len(), table.raw.len(), problems.len()), (3, 1, 1));
    let many = framed(&vec![encoded(&a); 129]);
    let error = file(&many, Options::default()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("record 128 at byte {}: more than 128", 128 * length)));
    assert_eq!(file(&many, keep_going).unwrap().0.len(), 128);
}

/// Files of many blocks, on as many threads as there are: the first fault is the one named.
#[test]
fn large_files_are_read_in_order() {
    let mut bytes = Vec::new();
    let mut starts = Vec::new();
    let n = 12_000u64;
    for i in 0..n {
        let id = i.wrapping_mul(0x9e37_79b9) % space().size() as u64;
        let record = record_of(id, 4, [i as f64 / n as f64; 15], i as f64 / 3.0);
        starts.push(bytes.len());
        frame(&encoded(&record), &mut bytes);
    }
    let (table, _) = file(&bytes, Options::default()).unwrap();
    assert_eq!(written(&table), bytes);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&bytes).unwrap();
    assert_eq!(file(&packed.finish().unwrap(), Options::default()).unwrap().0, table);
    for wrong in [11_999, 9_000, 8_000, 7_000, 3] {
        bytes[starts[wrong] + 100] ^= 1;
        let error = file(&bytes, Options::default()).unwrap_err().to_string();
        let start = format!("record {wrong} at byte {}: ", starts[wrong]);
        assert!(error.starts_with(&start), "{error}");
    }
    let keep_going = Options { keep_going: true, ..Options::default() };
    let (table, problems) = file(&bytes, keep_going).unwrap();
    assert_eq!((table.len(), problems.len()), (n as usize - 5, 5));
}

/// Runs of one cell one after another and apart, spelled in several ways, with numbers that are the
/// same in a budget and then are not, in single precision and then not: all as the specification
/// reads each record by itself.
#[test]
fn every_record_is_read_as_by_itself() {
    let (mut records, mut bytes) = (Vec::new(), Vec::new());
    for i in 0..9_000u64 {
        let id = (i / 5).wrapping_mul(0x9e37_79b9) % 5_000;
        let epochs = [4, 12, 108][(i % 3) as usize];
        let mut metrics = [(i % 97) as f64 / 128.0; 15];
        metrics[0] = 0.0;
        metrics[5] = f64::from(epochs) / 2.0 + if i == 5_000 { 1.0 } else { 0.0 };
        metrics[10] = f64::from(epochs);
        metrics[11] = i as f64 / if i < 6_000 { 4.0 } else { 3.0 };
        let mut record = record_of(id, epochs, metrics, i as f64 / 3.0);
        record.trainable_parameters = 100 + id as i32 * 700;
        let spelling = if i % 11 == 0 { i as usize % 4 } else { 3 };
        records.push(spelled(&record, spelling));
        frame(records.last().unwrap(), &mut bytes);
    }
    let catalog = space().catalog(&|| true).unwrap();
    let read = |(record, data): (usize, &Vec<u8>)| (record, Record::decode(data).unwrap());
    let mut expected: Vec<(usize, Record)> = records.iter().enumerate().map(read).collect();
    expected.sort_by_key(|(_, record)| (record.epochs, catalog.id(record.cell)));
    let (table, left_out) = file(&bytes, Options::default()).unwrap();
    assert_eq!((table.len(), left_out.len()), (expected.len(), 0));
    let view = table.view();
    for (row, (number, record)) in expected.iter().enumerate() {
        assert_eq!(table.record[row], *number as i32);
        assert_eq!(table.cell_id[row] as u64, catalog.id(record.cell));
        assert_eq!(table.epochs[row], record.epochs);
        assert_eq!(table.trainable_parameters[row], record.trainable_parameters);
        assert_eq!(table.total_time[row].to_bits(), record.total_time.to_bits());
        let same = row > 0 && expected[row - 1].1.epochs == record.epochs;
        let same = same && table.cell_id[row - 1] == table.cell_id[row];
        assert_eq!(table.repeat[row], if same { table.repeat[row - 1] + 1 } else { 0 });
        for (column, value) in view.metrics.iter().zip(record.metrics) {
            let found = match column {
                release::FloatsView::Single(column) => f64::from(column[row]),
                release::FloatsView::Double(column) => column[row],
            };
            assert_eq!(found.to_bits(), value.to_bits());
        }
    }
    assert_eq!(written(&table), bytes);
    let double = table.metrics.iter().map(|column| matches!(column, Floats::Double(_)));
    assert!(double.eq((0..15).map(|i| i == 11)));
}

#[test]
fn the_system_may_refuse() {
    let error = release::read(Path::new("no such file"), Options::default(), &Unwatched);
    assert!(matches!(error, Err(Error::File { code: Some(_), .. })), "{error:?}");
    let table = release::Table::default();
    let path = Path::new("no such folder/file");
    let error = release::write(path, &table.view(), &table.raw, &Unwatched);
    assert!(matches!(error, Err(Error::File { code: Some(_), .. })), "{error:?}");
    let bytes = framed(&[GENUINE]);
    let (mut table, _) = file(&bytes, Options::default()).unwrap();
    table.total_time[0] = f64::NAN;
    let error = release::write_to(&mut Vec::new(), "", &table.view(), &table.raw, &Unwatched);
    assert!(matches!(error, Err(Error::InRow { row: 0, .. })), "{error:?}");
}

#[test]
fn a_table_of_unequal_columns_or_with_wrong_raw_rows_makes_no_file() {
    let path = std::env::temp_dir().join(format!("nb101-no-table-{}", std::process::id()));
    let (table, _) = file(&framed(&[GENUINE]), Options::default()).unwrap();
    let view = table.view();
    for raw in [&[(1, GENUINE)][..], &[(0, GENUINE), (0, GENUINE)]] {
        assert_eq!(release::write(&path, &view, raw, &Unwatched), Err(Error::RawRows));
        assert_eq!(release::write_to(&mut vec![], "", &view, raw, &Unwatched), Err(Error::RawRows));
    }
    let mut metrics = view.metrics;
    metrics[14] = release::FloatsView::Single(&[]);
    for view in [
        release::View { epochs: &[], ..view },
        release::View { record: &[0, 1], ..view },
        release::View { total_time: &[], ..view },
        release::View { metrics, ..view },
    ] {
        let wrong = release::write(&path, &view, &table.raw, &Unwatched);
        assert_eq!(wrong, Err(Error::ColumnLengths));
    }
    assert!(!path.exists());
}
