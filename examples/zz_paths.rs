#![allow(clippy::disallowed_methods)]
use countersign::request::path::Readings;
use std::hint::black_box;
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let len = 2000;
    let fill = |unit: &str| { let mut s = String::from("/public/"); while s.len() < len { s.push_str(unit); } s };
    let paths = vec![
        ("plain segs", fill("abcdefgh/")), ("plain long", fill("abcdefgh")),
        ("one ;", fill("abcdefgh/") + ";v=1"),
        ("one %2f", fill("abcdefgh/") + "a%2fb"),
        ("url", fill("abcdefgh/") + "https%3A%2F%2Fx%2Fa%3Fb"),
        ("many ;", fill("abc;d/")),
        ("many %2f", fill("abcd%2f")),
        ("many %252f", fill("abcd%252f")),
        ("mix", fill("a;b/..//%2f%255c%3b/./")),
        ("mix2", fill("aaaa/") + "a;b/..//%2f%255c%3b/./"),
        ("mix3", fill("a%25252fb;c/..%5c")),
        ("dots", fill("a/../")),
        ("short one", "/public/a;b".into()), ("short plain", "/public/a-b".into()),
        ("short url", "/img/https%3A%2F%2Fcdn.example.com%2Fa%2Fb.png%3Fw%3D100%26h%3D200".into()),
        ("short mix", "/a%252fb/%2e%2e/c;d//x".into()),
    ];
    for (name, path) in &paths {
        if !args.contains(&name.to_string()) { continue; }
        let _ = black_box(Readings::of_target(black_box(Some(path.as_bytes()))));
    }
}
