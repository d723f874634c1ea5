// Stripe's customer in FlexPrice's words; the metadata, of which each side keeps some to itself, is the caller's.
export function customerFields(object) {
  const address = object.address ?? {};
  return {
    name: object.name || object.email || object.id,
    email: object.email ?? '',
    contact: object.phone ?? '',
    address_line1: address.line1 ?? '',
    address_line2: address.line2 ?? '',
    address_city: address.city ?? '',
    address_state: address.state ?? '',
    address_postal_code: address.postal_code ?? '',
    address_country: address.country ?? '',
  };
}
