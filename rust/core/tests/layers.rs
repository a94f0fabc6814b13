//! The modules of the crate lie in layers: each knows only those below it; and within a module no
//! files know each other in a circle. Read from the sources, without what is compiled for tests
//! alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first.
const LAYERS: [&str; 16] = [
    "limits",
    "error",
    "memory",
    "once",
    "parallel",
    "random",
    "kendall",
    "noise",
    "pareto",
    "cell",
    "describe",
    "hash",
    "space",
    "edit",
    "landscape",
    "release",
];

/// What a top-level module may be called by at the root of the crate, and where it is.
const AT_THE_ROOT: [(&str, &str); 6] = [
    ("Cell", "cell"),
    ("RawCell", "cell"),
    ("Error", "error"),
    ("ErrorKind", "error"),
    ("Result", "error"),
    ("Space", "space"),
];

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All Rust files of a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

/// The code of a file: no comments, and no modules for tests, which end with a line `}`.
fn code(text: &str) -> String {
    let (mut kept, mut skipping, mut test) = (String::new(), false, false);
    for line in text.lines() {
        if skipping {
            skipping = line != "}";
        } else if test && line.starts_with("mod ") {
            skipping = true;
        } else if line == "#[cfg(test)]" {
            test = true;
            continue;
        } else {
            kept.push_str(line.split("//").next().unwrap_or(""));
            kept.push('\n');
        }
        test = false;
    }
    kept
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The names that come first in paths that begin with `root`, `use crate::{a, b}` included.
fn named(code: &str, root: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for rest in code.split(root).skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            names.extend(rest.split(|c| !is_name(c)).next().map(str::to_owned));
            continue;
        };
        // The first name of each part of the group.
        let (mut depth, mut part) = (0, String::new());
        for c in group.chars() {
            match c {
                ',' | '}' if depth == 0 => {
                    let name: String = part.trim().chars().take_while(|&c| is_name(c)).collect();
                    names.extend((!name.is_empty()).then_some(name));
                    part.clear();
                    if c == '}' {
                        break;
                    }
                }
                _ => {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    part.push(c);
                }
            }
        }
    }
    names
}

/// Where a name at the root of the crate leads; `None` for what is not there.
fn layer(name: &str) -> Option<usize> {
    let exported = AT_THE_ROOT.iter().find(|(known, _)| *known == name);
    let module = exported.map_or(name, |(_, module)| module);
    LAYERS.iter().position(|&layer| layer == module)
}

/// The arrows of `module` that do not lead down.
fn upward(module: &str, code: &str) -> Vec<String> {
    let own = layer(module).expect("a module of the list");
    let leads_down = |name: &String| name == module || layer(name).is_some_and(|to| to < own);
    let wrong = named(code, "crate::").into_iter().filter(|name| !leads_down(name));
    wrong.map(|name| format!("{module} -> {name}")).collect()
}

/// The names that the file of a module imports from other files of its folder, and where these are
/// from; and the rest of its code.
fn imported(code: &str, files: &BTreeSet<&str>) -> (BTreeMap<String, String>, String) {
    let (mut names, mut rest) = (BTreeMap::new(), String::new());
    for statement in code.split_inclusive(';') {
        let path = ["use ", "pub use ", "pub(crate) use "]
            .into_iter()
            .find_map(|import| statement.trim_start().strip_prefix(import));
        let Some(path) = path else {
            let declares =
                ["mod ", "pub mod "].iter().any(|m| statement.trim_start().starts_with(m));
            rest.push_str(if declares { "" } else { statement });
            continue;
        };
        let mut words = path.split(|c| !is_name(c)).filter(|word| !word.is_empty());
        let file = words.next().unwrap_or("");
        if files.contains(file) {
            names.extend(words.map(|word| (word.to_owned(), file.to_owned())));
        }
    }
    (names, rest)
}

/// Files of the folder of a module, by name, that know each other in a circle, or lead to one. What
/// `mod.rs` only hands on is known from where it is.
fn circle(module: &str, codes: &BTreeMap<&str, String>) -> BTreeSet<String> {
    let files = codes.keys().copied().collect();
    let (handed_on, own) = imported(&codes["mod"], &files);
    let arrows = |file: &str, code: &str| -> BTreeSet<String> {
        if file == "mod" {
            let words: BTreeSet<&str> = own.split(|c| !is_name(c)).collect();
            let used = handed_on.iter().filter(|(name, _)| words.contains(name.as_str()));
            let named = files.iter().filter(|file| own.contains(&format!("{file}::")));
            return named
                .map(|&file| file.into())
                .chain(used.map(|(_, from)| from.clone()))
                .collect();
        }
        let names =
            ["super::".to_owned(), format!("crate::{module}::")].map(|root| named(code, &root));
        let lead_to = |name: &String| match handed_on.get(name) {
            _ if files.contains(name.as_str()) => name.clone(),
            Some(from) => from.clone(),
            None => "mod".to_owned(),
        };
        names.iter().flatten().map(lead_to).filter(|to| to != file).collect()
    };
    let mut left: BTreeMap<String, BTreeSet<String>> =
        codes.iter().map(|(&file, code)| (file.to_owned(), arrows(file, code))).collect();
    loop {
        let names: BTreeSet<String> = left.keys().cloned().collect();
        left.retain(|_, to| !to.is_disjoint(&names));
        if left.len() == names.len() {
            return names;
        }
    }
}

#[test]
fn every_module_is_in_the_list() {
    let text = fs::read_to_string(sources().join("lib.rs")).unwrap();
    let declared = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let declared: BTreeSet<&str> = declared.collect();
    assert_eq!(declared, LAYERS.into_iter().collect());
    let others =
        text.lines().any(|line| line.starts_with("mod ") || line.contains("pub(crate) mod"));
    assert!(!others, "a module that the list does not know");
    for line in text.lines().filter(|line| line.starts_with("pub use ")) {
        let known = |(name, module): &(&str, &str)| line.contains(module) && line.contains(name);
        assert!(AT_THE_ROOT.iter().any(known), "{line}");
    }
}

#[test]
fn arrows_between_modules_lead_down() {
    let (mut wrong, mut arrows) = (Vec::new(), 0);
    for path in files(&sources()) {
        let inside = path.strip_prefix(sources()).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = first.trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let code = code(&fs::read_to_string(&path).unwrap());
        // From a file in a folder, `super::super` is the root; from its `mod.rs`, `super` is.
        let depth = inside.components().count() - usize::from(inside.ends_with("mod.rs"));
        assert!(!code.contains(&"super::".repeat(depth)), "{inside:?} leaves its module by super");
        arrows += named(&code, "crate::").len();
        wrong.extend(upward(module, &code));
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(arrows > 150, "only {arrows} arrows were found");
}

#[test]
fn no_files_of_a_module_know_each_other_in_a_circle() {
    let mut seen = 0;
    for module in LAYERS {
        let folder = sources().join(module);
        if !folder.is_dir() {
            continue;
        }
        let paths = files(&folder);
        let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
        let names: Vec<String> = paths.iter().map(|path| name(path)).collect();
        let codes = paths.iter().map(|path| code(&fs::read_to_string(path).unwrap()));
        let codes: BTreeMap<&str, String> = names.iter().map(String::as_str).zip(codes).collect();
        assert_eq!(circle(module, &codes), BTreeSet::new(), "{module}");
        seen += codes.len();
    }
    assert!(seen > 40, "only {seen} files were found");
}

#[test]
fn a_circle_is_seen_however_it_is_written() {
    let circle = |of: [&str; 3]| {
        let codes = ["mod", "a", "b"].into_iter().zip(of.map(code)).collect();
        circle("cell", &codes)
    };
    let none = BTreeSet::new();
    let all_three = || BTreeSet::from(["a", "b", "mod"].map(str::to_owned));
    let a_and_b = || BTreeSet::from(["a", "b"].map(str::to_owned));
    let exports = "mod a;\nmod b;\npub use a::A;\npub use b::{B, C};\npub struct Own;\n";
    assert_eq!(circle([exports, "use super::Own;", "use super::{Own, a::A};"]), none);
    assert_eq!(circle([exports, "use super::b::B;", "use super::a::A;"]), a_and_b());
    // By way of what is handed on, and from the root.
    assert_eq!(circle([exports, "use super::{Own, C};", "use crate::cell::A;"]), a_and_b());
    let user = format!("{exports}fn f() -> A {{ A }}\n");
    assert_eq!(circle([&user, "", "use super::Own;"]), none);
    assert_eq!(circle([&user, "use super::B;", "use super::Own;"]), all_three());
}

#[test]
fn an_arrow_upward_is_seen_however_it_is_written() {
    for text in [
        "use crate::space::Space;",
        "use crate::{memory, space::{Catalog, Space}};",
        "use crate::{\n    error::{Error, Result},\n    Space,\n};",
        "fn f() -> crate::Space { todo!() }",
        "pub(crate) use crate::space;",
    ] {
        assert_eq!(upward("cell", &code(text)).len(), 1, "{text}");
        assert!(upward("edit", &code(text)).is_empty(), "{text}");
    }
    assert_eq!(upward("cell", "use crate::nowhere::Thing;"), ["cell -> nowhere"]);
    let test = "#[cfg(test)]\nmod tests {\n    use crate::space::Space;\n}\n";
    assert!(upward("cell", &code(test)).is_empty());
    assert!(upward("cell", &code("/// See [`Space`](crate::Space).\nfn f() {}")).is_empty());
}
