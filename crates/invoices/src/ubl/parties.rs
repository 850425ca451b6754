//! Who bills whom, with what EN 16931 requires of each.

use millrace_domain::billing::{Invoice, Party};

use super::UblError;
use super::xml::Xml;

/// ISO 3166-1 alpha-2.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF \
    GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW \
    KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL \
    NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST \
    SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Both parties, complete.
pub(super) struct Parties {
    seller_country: String,
    customer_country: String,
}

impl Parties {
    /// Looks at what is required.
    pub(super) fn of(invoice: &Invoice) -> Result<Self, UblError> {
        let required = |value: &str, field, term| {
            let number = || invoice.number.clone();
            if value.trim().is_empty() { Err(UblError::Missing { field, term, number: number() }) } else { Ok(()) }
        };
        required(&invoice.seller.name, "operator.name", "BT-27")?;
        required(&invoice.seller.country, "operator.country", "BT-40")?;
        // Tax charged, exempt or at 0 %: each wants the seller's registration, and nothing else tells who he is (BR-CO-26).
        required(&invoice.seller.tax_id, "operator.tax_id", "BT-31")?;
        required(&invoice.customer.name, "accounts.name", "BT-44")?;
        required(&invoice.customer.country, "accounts.country", "BT-55")?;
        let country = |party: &Party, field, term| {
            let code = party.country.trim().to_ascii_uppercase();
            let known = COUNTRIES.split(' ').any(|known| known == code);
            let found = || party.country.clone();
            known.then_some(code).ok_or_else(|| UblError::Country {
                field,
                term,
                found: found(),
                number: invoice.number.clone(),
            })
        };
        Ok(Self {
            seller_country: country(&invoice.seller, "operator.country", "BT-40")?,
            customer_country: country(&invoice.customer, "accounts.country", "BT-55")?,
        })
    }

    /// Writes both.
    pub(super) fn write(&self, xml: &mut Xml, invoice: &Invoice) {
        xml.group("cac:AccountingSupplierParty", |xml| {
            xml.group("cac:Party", |xml| self.party(xml, &invoice.seller, &self.seller_country, true));
        });
        xml.group("cac:AccountingCustomerParty", |xml| {
            xml.group("cac:Party", |xml| self.party(xml, &invoice.customer, &self.customer_country, false));
        });
    }

    fn party(&self, xml: &mut Xml, party: &Party, country: &str, seller: bool) {
        if !party.account_id.trim().is_empty() {
            xml.group("cac:PartyIdentification", |xml| xml.text("cbc:ID", &party.account_id));
        }
        xml.group("cac:PostalAddress", |xml| {
            let mut lines = party.address.iter().filter(|line| !line.trim().is_empty());
            xml.text("cbc:StreetName", lines.next().map_or("", String::as_str));
            xml.text("cbc:AdditionalStreetName", lines.next().map_or("", String::as_str));
            xml.text("cbc:CityName", &party.city);
            xml.text("cbc:PostalZone", &party.postcode);
            // The standard has three lines of an address.
            let rest: Vec<&str> = lines.map(String::as_str).collect();
            if !rest.is_empty() {
                xml.group("cac:AddressLine", |xml| xml.text("cbc:Line", rest.join(", ")));
            }
            xml.group("cac:Country", |xml| xml.text("cbc:IdentificationCode", country));
        });
        let vat = is_vat_id(&party.tax_id);
        // Another tax registration than a VAT identifier has a place only for the seller.
        if vat || seller {
            xml.group("cac:PartyTaxScheme", |xml| {
                xml.text("cbc:CompanyID", &party.tax_id);
                xml.group("cac:TaxScheme", |xml| xml.text("cbc:ID", if vat { "VAT" } else { "TAX" }));
            });
        }
        xml.group("cac:PartyLegalEntity", |xml| {
            xml.text("cbc:RegistrationName", &party.name);
            // Where it is no VAT identifier, it is what authorities know the company by.
            if !vat {
                xml.text("cbc:CompanyID", &party.tax_id);
            }
        });
    }
}

/// A VAT identifier begins with the country's code; Greece uses EL.
fn is_vat_id(tax_id: &str) -> bool {
    let prefix = tax_id.trim().get(..2).unwrap_or_default();
    prefix == "EL" || COUNTRIES.split(' ').any(|code| code == prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vat_identifier_begins_with_a_country() {
        assert!(["FR40303265045", "EL123456789", " MA001"].iter().all(|id| is_vat_id(id)));
        assert!(!["", "F", "001234567000089", "XX123", "fr123", "é12"].iter().any(|id| is_vat_id(id)));
    }
}
