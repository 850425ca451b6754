-- Cancelling an invoice asks which corrections concern its charges, and an itemised invoice which events it billed.
ALTER TABLE adjustments ADD KEY by_old (old_account_no, old_bill_cycle)
