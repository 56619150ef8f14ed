//! However it ends, nothing acknowledged is missing afterwards.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::laurel::{Laurel, send_order};

const SENDERS: usize = 4;
const ORDERS_PER_SENDER: usize = 100;
/// Acknowledged orders after which the process is killed, while others are under way.
const KILL_AFTER: usize = 60;
/// 1.00; earns 10 points in the programme that comes with Laurel.
const SMALL: u64 = 100;
const POINTS_PER_ORDER: usize = 10;
/// 1,000,000.00, which becomes 2,000 coupons; they keep accrual at work for many seconds.
const HUGE: u64 = 100_000_000;
const COUPONS_OF_HUGE: usize = 2_000;
/// Above the two seconds after which work is cut off, below what is left of accrual's over the huge order.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

#[test]
fn nothing_acknowledged_is_missing_after_a_kill_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let mut laurel = Laurel::start(folder.path());
    let acknowledged = AtomicUsize::new(0);
    let all_wait = Barrier::new(SENDERS);
    let address = laurel.address.clone();
    // Given senders that post orders side by side, and a kill while they do.
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (address, acknowledged, all_wait) = (&address, &acknowledged, &all_wait);
            scope.spawn(move || {
                all_wait.wait();
                for number in 0..ORDERS_PER_SENDER {
                    match send_order(address, &format!("{sender}-{number}"), SMALL) {
                        Some(202) => acknowledged.fetch_add(1, Ordering::SeqCst),
                        Some(status) => panic!("answered with {status}"),
                        None => return,
                    };
                }
            });
        }
        while acknowledged.load(Ordering::SeqCst) < KILL_AFTER {
            std::thread::yield_now();
        }
        laurel.kill();
    });
    let acknowledged = acknowledged.into_inner();
    assert!(acknowledged < SENDERS * ORDERS_PER_SENDER, "the kill came too late to say anything");
    // When it is started again over the same data.
    let laurel = Laurel::start(folder.path());
    laurel.get("/local/idle");
    // Then every acknowledged order has earned, once.
    let counted = laurel.member()["lifetime_points"].as_u64().unwrap() as usize / POINTS_PER_ORDER;
    assert!(counted >= acknowledged, "{acknowledged} were acknowledged, {counted} counted");
    assert!(counted <= acknowledged + SENDERS, "{counted} counted of {acknowledged} acknowledged");
}

#[test]
fn it_stops_when_asked_however_long_its_work_takes_and_goes_on_with_it_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let mut laurel = Laurel::start(folder.path());
    // Given an order over which accrual is at work for long, and one that waits behind it.
    assert_eq!(send_order(&laurel.address, "huge", HUGE), Some(202));
    while laurel.member()["lifetime_points"].as_u64().is_none() {
        std::thread::yield_now();
    }
    assert_eq!(send_order(&laurel.address, "small", SMALL), Some(202));
    // When it is asked to stop, then it does, and says that all is well.
    assert_eq!(laurel.terminate(STOPS_WITHIN), Some(0));
    // When it is started again, then both orders have become what they should.
    let laurel = Laurel::start(folder.path());
    // Not idle: it would tell the member of each coupon first.
    let member = loop {
        let member = laurel.member();
        if member["lifetime_points"] == HUGE / 10 + SMALL / 10 {
            break member;
        }
    };
    assert_eq!(member["balance"], SMALL / 10);
    assert_eq!(member["coupons"].as_array().unwrap().len(), COUPONS_OF_HUGE);
}
