//! What processes have used: CPU in milliseconds, memory in MiB, read from `/proc`.

use std::{
    fs,
    time::{Duration, Instant},
};

use openssl::{hash::MessageDigest, pkey::PKey, rsa::Rsa, sign::Signer};

/// CPU of one signature, on this thread alone.
pub(crate) fn signature_ms(time: Duration) -> f64 {
    let key = PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
    let payload = [7; 400];
    let sign = || {
        let mut signer = Signer::new(MessageDigest::sha256(), &key).expect("a signer");
        signer.sign_oneshot_to_vec(&payload).expect("a signature")
    };
    sign();
    let (began, before, mut count) = (Instant::now(), cpu_ms("/proc/thread-self/stat"), 0_u32);
    while began.elapsed() < time {
        sign();
        count += 1;
    }
    (cpu_ms("/proc/thread-self/stat") - before) / f64::from(count)
}

/// utime and stime of a `stat` file; 0 when the process is gone.
pub(crate) fn cpu_ms(stat: &str) -> f64 {
    let Ok(text) = fs::read_to_string(stat) else { return 0.0 };
    let fields: Vec<_> = text.rsplit(')').next().expect("fields").split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime");
    // Linux counts in hundredths of a second here, whatever the kernel's own tick is.
    ticks as f64 * 10.0
}

pub(crate) fn process_ms(id: u32) -> f64 {
    cpu_ms(&format!("/proc/{id}/stat"))
}

/// CPU of the PostgreSQL processes that serve this database.
pub(crate) fn backends_ms(database: Option<&str>) -> f64 {
    let Some(database) = database else { return 0.0 };
    let mut all = 0.0;
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let path = entry.path();
        let title = fs::read(path.join("cmdline")).unwrap_or_default();
        let title = String::from_utf8_lossy(&title).into_owned();
        if title.starts_with("postgres: ") && title.split(' ').any(|word| word == database) {
            all += cpu_ms(&path.join("stat").display().to_string());
        }
    }
    all
}

pub(crate) fn rss_mib(id: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("its memory").to_owned();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).expect("a number") / 1024.0
}

/// CPU of one Argon2id hash with the parameters that ship, on this thread alone and in memory that is reused.
pub(crate) fn hash_ms() -> f64 {
    use argon2::{Algorithm, Argon2, Block, Params, Version};
    let params = Params::new(65_536, 3, 1, Some(32)).expect("parameters");
    let mut memory = vec![Block::new(); params.block_count()];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = || {
        let mut output = [0; 32];
        argon
            .hash_password_into_with_memory(b"plum violin 42 harbour", b"sixteen bytes it", &mut output, &mut memory)
            .expect("a hash");
    };
    hash();
    let before = cpu_ms("/proc/thread-self/stat");
    for _ in 0..10 {
        hash();
    }
    (cpu_ms("/proc/thread-self/stat") - before) / 10.0
}
