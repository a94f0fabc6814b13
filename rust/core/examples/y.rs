use nb101_core::*;
fn main() {
    let mut cells = Vec::new();
    enumerate::CellStream::new(7, 9, 3).fill(&mut cells, usize::MAX, &|| true).unwrap();
    for lanes in [1usize, 8, 16, 24] {
        let mut i = 0;
        let mut shared = 0u64;
        let mut by = [0u64; 8];
        let mut naive = [0u64; 8];
        let mut b2 = 0u64;
        while i < cells.len() {
            let s = cells[i].structure();
            let n = cells[i..].iter().take_while(|c| c.structure() == s).count();
            let c = cells[i];
            let v = c.vertices();
            let mut nb = vec![0u16; v];
            let mut bl = vec![0u64; v];
            for x in 0..v {
                let mut d = 0;
                for y in 0..v {
                    if (x < y && c.edges & cell::edge_bit(x, y) != 0)
                        || (y < x && c.edges & cell::edge_bit(y, x) != 0)
                    {
                        d += 1;
                        nb[x] |= 1 << y;
                    }
                }
                bl[x] = ((32 * (d + 1) + 2 + 8) / 64 + 1) as u64;
            }
            let mut ball: Vec<u16> =
                (0..v).map(|x| if x > 0 && x + 1 < v { 1 << x } else { 0 }).collect();
            for r in 0..v {
                let before = ball.clone();
                for x in 0..v {
                    for y in 0..v {
                        if nb[x] >> y & 1 == 1 {
                            ball[x] |= before[y];
                        }
                    }
                    let cl = n.min(3usize.pow(ball[x].count_ones()));
                    let k = bl[x] * (cl.div_ceil(lanes) * lanes) as u64;
                    shared += k;
                    by[r] += k;
                    naive[r] += bl[x] * n as u64;
                }
            }
            shared += ((36 * v + 8) / 64 + 1) as u64 * (n.div_ceil(lanes) * lanes) as u64;
            b2 += ((36 * v + 8) / 64 + 1) as u64 * n as u64;
            i += n;
        }
        println!("nominal lanes {lanes} shared {shared} {by:?} naive {naive:?} final {b2}");
    }
}
