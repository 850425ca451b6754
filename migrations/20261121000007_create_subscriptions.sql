-- A number's plan from the day active_from until the day active_to, exclusive (operator's time zone). Two rows of one number never overlap.
CREATE TABLE IF NOT EXISTS subscriptions (
    subscription_no INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    msisdn VARCHAR(15) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    active_from DATE NOT NULL,
    active_to DATE NULL,
    account_no INT UNSIGNED NOT NULL,
    plan VARCHAR(64) NOT NULL,
    UNIQUE KEY subscription (msisdn, active_from),
    KEY by_account (account_no),
    CONSTRAINT subscription_account FOREIGN KEY (account_no) REFERENCES accounts (account_no),
    CONSTRAINT subscription_plan FOREIGN KEY (plan) REFERENCES plans (plan)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
