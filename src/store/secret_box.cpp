#include "store/secret_box.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>
#include <stdexcept>

namespace flexsync::store {

namespace {

constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

// What is authenticated beside the text: the scheme's version, the key and the place.
std::string associated_data(const std::string& key_id, std::string_view context) {
  std::string data = "flexsync.secret.v1";
  data += '\0';
  data += key_id;
  data += '\0';
  return data.append(context);
}

CipherContext new_context() {
  CipherContext context(EVP_CIPHER_CTX_new());
  if (!context) {
    throw std::bad_alloc();
  }
  return context;
}

int size_of(std::string_view text) {
  return static_cast<int>(text.size());
}

}  // namespace

SealedSecret SecretBox::encrypt(const Secret& secret, std::string_view context) const {
  const MasterKey& key = keys_.current();
  const std::string data = associated_data(key.id, context);
  const std::string_view text = secret.reveal();
  std::string nonce(kNonceSize, '\0');
  std::string body(text.size(), '\0');
  std::string tag(kTagSize, '\0');
  int size = 0;
  const auto cipher = new_context();
  const bool sealed =
      RAND_bytes(bytes(nonce), size_of(nonce)) == 1 &&
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes(key.bytes.reveal()), bytes(nonce)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytes(data), size_of(data)) == 1 &&
      EVP_EncryptUpdate(cipher.get(), bytes(body), &size, bytes(text), size_of(text)) == 1 &&
      EVP_EncryptFinal_ex(cipher.get(), bytes(body) + size, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagSize, tag.data()) == 1;
  if (!sealed) {
    throw std::runtime_error("OpenSSL cannot encrypt with AES-256-GCM");
  }
  return {key.id, nonce + body + tag};
}

Result<Secret> SecretBox::decrypt(const SealedSecret& sealed, std::string_view context) const {
  const MasterKey* key = keys_.find(sealed.key_id);
  if (key == nullptr) {
    return fail(ErrorCode::internal_error, "a stored secret was encrypted with the key \"" + sealed.key_id +
                                               "\", which master_key (FLEXSYNC_MASTER_KEY) lacks: add it again");
  }
  if (sealed.ciphertext.size() < kNonceSize + kTagSize) {
    return fail(ErrorCode::internal_error, "a stored secret is cut short: set it again");
  }
  const std::string data = associated_data(key->id, context);
  const std::string_view all = sealed.ciphertext;
  const std::string_view nonce = all.substr(0, kNonceSize);
  const std::string_view body = all.substr(kNonceSize, all.size() - kNonceSize - kTagSize);
  std::string tag(all.substr(all.size() - kTagSize));
  std::string text(body.size(), '\0');
  int size = 0;
  const auto cipher = new_context();
  const bool opened =
      EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes(key->bytes.reveal()), bytes(nonce)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytes(data), size_of(data)) == 1 &&
      EVP_DecryptUpdate(cipher.get(), bytes(text), &size, bytes(body), size_of(body)) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), bytes(text) + size, &size) == 1;
  Secret result(text);
  OPENSSL_cleanse(text.data(), text.size());
  if (!opened) {
    return fail(ErrorCode::internal_error, "a stored secret does not open: it was changed or moved, or the key \"" +
                                               sealed.key_id +
                                               "\" is not the one that sealed it; set the secret again");
  }
  return result;
}

}  // namespace flexsync::store
