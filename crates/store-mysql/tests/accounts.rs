//! The database's users on a real server: what each may do, and that a changed password counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::Utc;
use millrace_store_mysql::accounts::{self, Account, Role};
use millrace_store_mysql::fault::{StoreError, is_sign_in_refused};
use millrace_store_mysql::{MySqlPool, pool, schema};
use millrace_test_support::mysql::TestDatabase;
use secrecy::SecretString;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// Users of this test's own: a server's users are everybody's.
struct Users {
    database: TestDatabase,
    admin: MySqlPool,
    suffix: String,
}

impl Users {
    async fn prepare() -> Self {
        let database = TestDatabase::create().await;
        let admin = pool::with(database.options());
        schema::migrate(&admin, Utc::now()).await.unwrap();
        Self { database, admin, suffix: Uuid::new_v4().simple().to_string()[..12].to_owned() }
    }

    fn name(&self, role: Role) -> String {
        format!("{}{}", role.user(), self.suffix)
    }

    fn accounts(&self, password: &str) -> [Account; 2] {
        [Role::Functions, Role::Readers].map(|role| Account {
            role,
            user: self.name(role),
            host: "%".to_owned(),
            password: SecretString::from(password),
        })
    }

    fn sign_in(&self, role: Role, password: &str) -> MySqlPool {
        pool::with(self.database.options().username(&self.name(role)).password(password))
    }

    async fn end(self) {
        for role in [Role::Functions, Role::Readers] {
            self.database.run(&format!("DROP USER '{}'@'%'", self.name(role))).await;
        }
    }
}

async fn run(pool: &MySqlPool, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(pool).await.map(drop)
}

#[tokio::test]
async fn each_user_may_do_what_its_role_does_and_nothing_else() {
    let users = Users::prepare().await;
    let accounts = users.accounts("first");
    for _ in 0..2 {
        accounts::create(&users.admin, &accounts).await.unwrap();
        accounts::grant(&users.admin, &accounts).await.unwrap();
    }
    let oldest = users
        .database
        .texts(
            "SELECT CAST(partition_name AS CHAR) FROM information_schema.partitions WHERE table_schema = DATABASE() \
             AND table_name = 'usage_events' ORDER BY partition_ordinal_position LIMIT 1",
        )
        .await;

    let functions = users.sign_in(Role::Functions, "first");
    for sql in [
        "SELECT COUNT(*) FROM usage_events",
        "DELETE FROM leases",
        "LOCK TABLES usage_events WRITE; UNLOCK TABLES",
        &format!("ALTER TABLE usage_events DROP PARTITION {}", oldest[0]),
    ] {
        run(&functions, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    for sql in [
        "CREATE TABLE more (id INT)",
        "DROP TABLE leases",
        "ALTER TABLE leases ADD COLUMN more INT",
        "CREATE USER another IDENTIFIED BY 'password'",
    ] {
        assert!(run(&functions, sql).await.is_err(), "functions may {sql}");
    }

    let readers = users.sign_in(Role::Readers, "first");
    run(&readers, "SELECT * FROM bi_alarms").await.unwrap();
    for sql in ["SELECT * FROM alarms", "SELECT * FROM accounts", "DELETE FROM bi_alarms"] {
        assert!(run(&readers, sql).await.is_err(), "readers may {sql}");
    }
    users.end().await;
}

#[tokio::test]
async fn a_changed_password_counts_and_the_old_one_is_told_as_refused() {
    let users = Users::prepare().await;
    let standing = {
        accounts::create(&users.admin, &users.accounts("first")).await.unwrap();
        accounts::grant(&users.admin, &users.accounts("first")).await.unwrap();
        users.sign_in(Role::Functions, "first")
    };
    run(&standing, "SELECT 1").await.unwrap();
    accounts::create(&users.admin, &users.accounts("second")).await.unwrap();
    run(&standing, "SELECT COUNT(*) FROM leases").await.expect("a connection that stands goes on");

    let refused = run(&users.sign_in(Role::Functions, "first"), "SELECT 1").await.unwrap_err();
    assert!(is_sign_in_refused(&StoreError::from(refused)));
    run(&users.sign_in(Role::Functions, "second"), "SELECT COUNT(*) FROM leases").await.unwrap();

    let other = run(&users.sign_in(Role::Functions, "second"), "SELECT * FROM nothing").await.unwrap_err();
    assert!(!is_sign_in_refused(&StoreError::from(other)), "another error is no refusal");
    users.end().await;
}
