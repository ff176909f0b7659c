//! The store that fails on demand keeps the contract where nothing is
//! demanded: what the tests of faults find is not the wrapper's doing.

use refrain::ExecutionId;
use refrain::store::laws::{Damage, Place, Row};
use refrain::store::{MemoryStore, Store};
use refrain_tests::faulty_store::{FaultyStore, Plan};

struct Wrapped(MemoryStore);

impl Place for Wrapped {
    fn open(&self) -> Box<dyn Store> {
        Box::new(FaultyStore::new(self.0.clone(), &Plan::default()))
    }

    fn damage(&self, _: Row, _: ExecutionId) -> Damage {
        Damage::OutOfReach
    }
}

refrain::store_laws!(Wrapped(MemoryStore::new()));
